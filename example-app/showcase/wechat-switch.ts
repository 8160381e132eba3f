import type { Sandbox } from 'weapp-session/sandbox'

/** Takes the fake WeChat down and brings it back. */
export interface WechatSwitch {
  isUp(): boolean
  turn(up: boolean): Promise<void>
}

/** Turns are taken one after the other: two pages may press the button at once. */
export function createWechatSwitch(sandbox: Pick<Sandbox, 'bringUp' | 'takeDown'>): WechatSwitch {
  let isUp = true
  let latest: Promise<void> = Promise.resolve()

  async function turnNow(up: boolean): Promise<void> {
    if (up === isUp) return
    await (up ? sandbox.bringUp() : sandbox.takeDown())
    isUp = up
  }

  return {
    isUp: () => isUp,
    turn(up) {
      latest = latest.catch(() => undefined).then(() => turnNow(up))
      return latest
    },
  }
}
