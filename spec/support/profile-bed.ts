import { problemHandler } from '../../lib/index.js'
import { encryptOpenData, signRawData } from '../../sandbox/open-data.js'
import { mountDecryption, mountEveryProtocol } from './every-protocol.js'
import { openWireBed } from './wire-bed.js'

export const IV = Buffer.alloc(16, 'iv').toString('base64')

/** A bed with every protocol, and data as WeChat makes it of a profile that the test names. */
export async function openProfileBed() {
  const bed = await openWireBed((app, sessions) => {
    mountEveryProtocol(app, sessions)
    mountDecryption(app, sessions)
    app.use(problemHandler())
  })
  const key = () => bed.sandbox.sessionKeyOf(bed.phone)
  const profileOf = (fields: object) => ({
    gender: 0,
    language: '',
    city: '',
    province: '',
    country: '',
    ...fields,
  })
  /** As WeChat writes it where it puts control characters in as they are. */
  const jsonOf = (fields: object, isRaw: boolean) => {
    const json = JSON.stringify(profileOf(fields))
    return isRaw
      ? json.replace(/\\(?:u00[01][0-9a-f]|[bfnrt])/g, (escaped) => JSON.parse(`"${escaped}"`))
      : json
  }
  const sealed = (json: string) => ({ encryptedData: encryptOpenData(json, key(), IV), iv: IV })
  const watermark = () => ({ appid: bed.phone.appid, timestamp: Math.floor(bed.clock() / 1000) })
  return {
    ...bed,
    signed(fields: object, isRaw = false) {
      const rawData = jsonOf(fields, isRaw)
      return { rawData, signature: signRawData(rawData, key()) }
    },
    encrypted: (fields: object, isRaw = false) =>
      sealed(jsonOf({ openId: bed.phone.openid, ...fields, watermark: watermark() }, isRaw)),
    nameless: (fields: object, isRaw = false) => sealed(jsonOf({ ...fields, watermark: watermark() }, isRaw)),
    async logIn(data: (() => object) | object = {}) {
      const code = await bed.code()
      return bed.http.post('/login').send({ code, ...(typeof data === 'function' ? data() : data) })
    },
  }
}

export type ProfileBed = Awaited<ReturnType<typeof openProfileBed>>

/** Each protocol's login with encrypted data; answers the profile that the session then has. */
export const LOGINS: Record<
  string,
  (bed: ProfileBed, fields: object, isRaw?: boolean) => Promise<Record<string, unknown>>
> = {
  async native(bed, fields, isRaw) {
    return (await bed.logIn(() => bed.encrypted(fields, isRaw))).body.userInfo
  },
  async wafer(bed, fields, isRaw) {
    const code = await bed.code()
    const { encryptedData, iv } = bed.encrypted(fields, isRaw)
    const headers = { 'x-wx-code': code, 'x-wx-encrypted-data': encryptedData, 'x-wx-iv': iv }
    const { session } = (await bed.http.get('/wafer/login').set(headers)).body
    return (await bed.http.get('/session').set('x-3rd-session', session.skey)).body.userInfo
  },
  async wafer2(bed, fields, isRaw) {
    const code = await bed.code()
    const { encryptedData, iv } = bed.encrypted(fields, isRaw)
    const headers = { 'x-wx-code': code, 'x-wx-encrypted-data': encryptedData, 'x-wx-iv': iv }
    return (await bed.http.get('/wafer2/login').set(headers)).body.data.userinfo
  },
  async wxapp(bed, fields, isRaw) {
    const code = await bed.code()
    const { encryptedData, iv } = bed.encrypted(fields, isRaw)
    return (await bed.http.post('/mina/login').send({ code, encrypt_data: encryptedData, iv })).body.data
      .user_info
  },
}
