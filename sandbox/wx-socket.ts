import { type WxMethod, wxMethod } from './wx-method.js'

/** Registers a listener of the phone's socket, which is never called. */
export type WxSocketEvent = (listener: (event: object) => void) => void

/**
 * Sockets, which the sandbox does not have: connecting always fails. The rest is there because the Wafer SDKs
 * register their listeners as soon as they are loaded.
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
