import type { LoginRequest } from '../flows/log-in.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { EncryptedData } from '../wechat/open-data.js'
import { tokenFromPair } from './id-skey.js'
import { jsonObject } from './json-fields.js'
import { isAbsent, LEGACY_SESSION_DURATION_SECONDS, legacyOrigin } from './legacy-request.js'
import { presentedToken, type WireRequest } from './protocol.js'
import { PARA_ERR, RefusedInterface } from './wafer-server-outcomes.js'

interface Credential {
  readonly id: string
  readonly skey: string
}

export type Interface =
  | { readonly name: 'qcloud.cam.id_skey'; readonly login: LoginRequest }
  | ({ readonly name: 'qcloud.cam.auth' } & Credential)
  | ({ readonly name: 'qcloud.cam.decrypt'; readonly data: OldData } & Credential)

/** Data without an iv was encrypted as in 2016, when the key was the iv. */
interface OldData extends EncryptedData {
  readonly ivIsKey: boolean
}

/** Reads a call. Mistakes are reported as that server did. */
export function readInterface(request: WireRequest): Interface {
  const { interface: asked } = jsonObject(request)
  const { interfaceName: name, para } = isJsonObject(asked) ? asked : {}
  if (typeof name !== 'string' || name === '' || isAbsent(name))
    throw new RefusedInterface([1002, 'NO_INTERFACENAME_PARA'])
  if (!isJsonObject(para)) throw new RefusedInterface([1011, 'NO_PARA'])

  switch (name) {
    case 'qcloud.cam.id_skey':
      return { name, login: loginOf(request, para) }
    case 'qcloud.cam.auth':
      return { name, ...credential(para) }
    case 'qcloud.cam.decrypt':
      return { name, ...credential(para), data: encryptedData(para) }
    case 'qcloud.cam.initdata':
      throw new RefusedInterface([1013, 'INIT_DATA_FAIL'])
    default:
      throw new RefusedInterface([1010, 'INTERFACENAME_PARA_ERR'])
  }
}

function loginOf(request: WireRequest, para: JsonObject): LoginRequest {
  const { id, skey } = para
  const data = encryptedData(para)
  const presented = () =>
    typeof id === 'string' && typeof skey === 'string' ? tokenFromPair(id, skey) : undefined
  return {
    ...data,
    code: text(para, 'code'),
    origin: legacyOrigin(request, data.encryptedData),
    defaultSessionDurationSeconds: LEGACY_SESSION_DURATION_SECONDS,
    presentedToken: presentedToken(presented),
  }
}

function credential(para: JsonObject): Credential {
  return { id: text(para, 'id'), skey: text(para, 'skey') }
}

function encryptedData(para: JsonObject): OldData {
  const iv = isAbsent(para.iv) || para.iv === '' ? undefined : text(para, 'iv')
  return { encryptedData: text(para, 'encrypt_data'), iv, ivIsKey: iv === undefined }
}

function text(para: JsonObject, name: string): string {
  const value = para[name]
  if (typeof value !== 'string' || value === '' || isAbsent(value)) throw new RefusedInterface(PARA_ERR)
  return value
}
