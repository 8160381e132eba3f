import { createCipheriv } from 'node:crypto'
import { expect } from 'chai'
import type { BackEnd } from './back-end.js'

/** What the session server answers. */
export interface WaferServerAnswer {
  readonly returnCode: number
  readonly returnMessage: string
  readonly returnData: unknown
}

/** The `returnData` of a login. */
export interface WaferServerLogin {
  readonly id: string
  readonly skey: string
  readonly user_info: { readonly openId: string; readonly nickName?: string }
  readonly userInfo: unknown
  readonly duration: number
}

/** Sends a body as `curl -d` does: with the content type of a form, whatever it is. The answer has the fixed fields of all answers. */
export async function curl({ url }: Pick<BackEnd, 'url'>, body: string): Promise<WaferServerAnswer> {
  const answer = await fetch(`${url}/mina_auth/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  })
  expect(answer.status).to.equal(200)
  expect(answer.headers.get('content-type')).to.match(/^application\/json/)
  const { version, componentName, ...rest } = (await answer.json()) as Record<string, unknown>
  expect({ version, componentName }).to.deep.equal({ version: 1, componentName: 'MA' })
  expect(rest).to.have.all.keys('returnCode', 'returnMessage', 'returnData')
  return rest as unknown as WaferServerAnswer
}

/** The documented call of an interface. */
export function call(
  backEnd: Pick<BackEnd, 'url'>,
  interfaceName: string,
  para: object,
): Promise<WaferServerAnswer> {
  const body = { version: 1, componentName: 'MA', interface: { interfaceName, para } }
  return curl(backEnd, JSON.stringify(body))
}

/** The parameters of a login with the data that a phone gets today: an iv of its own. */
export async function loginPara({ phone }: BackEnd) {
  const { code } = await phone.wx.login()
  const { encryptedData: encrypt_data = '', iv = '' } = await phone.wx.getUserInfo()
  return { code, encrypt_data, iv }
}

/** The parameters of a login with data as WeChat made it in 2016: the iv is the key, so that there is none to send. */
export async function oldLoginPara({ phone, sandbox }: BackEnd) {
  const { code } = await phone.wx.login()
  const { userInfo } = await phone.wx.getUserInfo()
  const watermark = { timestamp: 1_477_314_187, appid: phone.appid }
  const text = JSON.stringify({ openId: phone.openid, ...userInfo, watermark })
  const key = Buffer.from(sandbox.sessionKeyOf(phone), 'base64')
  const cipher = createCipheriv('aes-128-cbc', key, key)
  return { code, encrypt_data: cipher.update(text, 'utf8', 'base64') + cipher.final('base64'), text }
}

/** Logs the phone in. */
export async function logIn(backEnd: BackEnd): Promise<WaferServerLogin> {
  const { returnCode, returnData } = await call(backEnd, 'qcloud.cam.id_skey', await loginPara(backEnd))
  expect(returnCode).to.equal(0)
  return returnData as WaferServerLogin
}
