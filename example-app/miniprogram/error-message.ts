import type { ClientError } from 'weapp-session/client'

const MESSAGES: Readonly<Record<string, string>> = {
  ERR_NETWORK: '网络不通，请检查网络后再试',
  ERR_WX_LOGIN: '微信登录没有成功，请稍后再试',
  ERR_URL_INVALID: '程序出错：请求的地址不对',
  ERR_APP_UNKNOWN: '服务器不认识这个小程序，请核对 AppID',
  ERR_CODE_INVALID: '登录没有成功，请再试一次',
  ERR_CODE_MOCK: '开发者工具没有使用真实的 AppID，不能登录',
  ERR_LOGIN_REFUSED: '服务器拒绝了这次登录',
  ERR_PHONE_CODE_INVALID: '手机号授权已失效，请再点一次按钮',
  ERR_SESSION_KEY_STALE: '数据已经过期，请再试一次',
  ERR_SESSION_LIMIT: '登录的设备太多，请先在别的设备上退出',
  ERR_SESSION_NOT_FOUND: '该设备已退出登录，请下拉刷新',
  ERR_USER_BLOCKED: '微信判定账号有风险，暂时不能登录',
  ERR_USER_CHANGED: '微信账号已经切换，请退出后重新登录',
  ERR_USER_INFO_REFUSED: '资料没有通过审核，请修改后再试',
}

/** Returns a message for the user about an error of the client. */
export function errorMessage(error: unknown): string {
  const { code = '', statusCode = 0, retryAfterSeconds } = Object(error) as Partial<ClientError>
  if (MESSAGES[code]) return MESSAGES[code]
  if (statusCode === 429) return `操作太频繁，请${waitText(retryAfterSeconds)}再试`
  if (statusCode === 503) return `服务器正忙，请${waitText(retryAfterSeconds)}再试`
  if (statusCode === 401) return '登录已失效，请重新登录'
  if (statusCode === 413) return '内容太大，请换小一点的'
  if (statusCode >= 500) return '服务器出了问题，请稍后再试'
  if (statusCode >= 400) return '请求被拒绝，请检查后重试'
  return '出了点问题，请稍后再试'
}

function waitText(seconds = 0): string {
  if (seconds <= 0) return '稍后'
  return seconds < 120 ? ` ${Math.ceil(seconds)} 秒后` : ` ${Math.ceil(seconds / 60)} 分钟后`
}
