import { ClientError, createClient } from 'weapp-session/client'
import { baseUrl } from './config.js'

/** One client for the whole app: all pages share its login. */
export const client = createClient({ baseUrl })

/** Asks the back end and answers the data. */
export async function ask<Data extends object>(method: 'GET' | 'DELETE', url: string): Promise<Data> {
  return dataOf(await client.request<Data>({ method, url }))
}

/** The data of an answer. The client resolves with any HTTP status that it cannot explain; here it is a failure. */
export function dataOf<Data>({ statusCode, data }: { statusCode: number; data: Data }): Data {
  if (statusCode >= 200 && statusCode < 300) return data
  throw new ClientError('ERR_ANSWER_UNEXPECTED', `HTTP ${statusCode}`, { statusCode })
}
