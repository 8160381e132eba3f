import { type WxMethod, wxMethod } from './wx-method.js'

/** Registers a listener of the phone's socket, which is never called. */
export type WxSocketEvent = (listener: (event: object) => void) => void

/**
 * The sandbox has no sockets: connecting always fails. The Wafer SDKs register listeners as soon as they
 * load.
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
