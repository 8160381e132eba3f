import { ClientError, createClient } from 'weapp-session/client'
import { baseUrl } from './config.js'

/** One client for the whole app: all pages share its login. */
export const client = createClient({ baseUrl })

/** Sends a request to the back end and returns the data of the response. */
export async function requestData<Data extends object>(method: 'GET' | 'DELETE', url: string): Promise<Data> {
  return dataOf(await client.request<Data>({ method, url }))
}

/** Returns the data of a response. The client resolves with any other HTTP status; here that is an error. */
export function dataOf<Data>({ statusCode, data }: { statusCode: number; data: Data }): Data {
  if (statusCode >= 200 && statusCode < 300) return data
  throw new ClientError('ERR_ANSWER_UNEXPECTED', `HTTP ${statusCode}`, { statusCode })
}
