import { type WxMethod, wxMethod } from './wx-method.js'

/** Takes a listener of the phone's socket. */
export type WxSocketEvent = (listener: (event: object) => void) => void

/**
 * Sockets, of which the sandbox has none: connecting always fails. The rest is there because the Wafer SDKs put their listeners on as
 * soon as they are loaded.
 */
export interface WxSocket {
  connectSocket: WxMethod<{ url: string }, object>
  onSocketOpen: WxSocketEvent
  onSocketMessage: WxSocketEvent
  onSocketClose: WxSocketEvent
  onSocketError: WxSocketEvent
}

export function createWxSocket(): WxSocket {
  const neverCalled: WxSocketEvent = () => undefined
  return {
    connectSocket: wxMethod('connectSocket', () => Promise.reject(new Error('the sandbox has no sockets'))),
    onSocketOpen: neverCalled,
    onSocketMessage: neverCalled,
    onSocketClose: neverCalled,
    onSocketError: neverCalled,
  }
}
