/** A clock that runs as time does, and can be set forward: the app, the store and the fake WeChat share it. */
export interface ShowcaseClock {
  (): number
  advance(ms: number): void
}

export function createShowcaseClock(): ShowcaseClock {
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  return Object.assign(now, {
    advance(ms: number) {
      aheadMs += ms
    },
  })
}
