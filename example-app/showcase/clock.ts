/** A clock that runs on from the real time and can be set forward. The app, the store and the fake WeChat share it. */
export interface ShowcaseClock {
  (): number
  /** How far it has been set forward, in milliseconds. */
  aheadMs(): number
  advance(ms: number): void
  /** Sets it back to the real time. */
  reset(): void
}

export function createShowcaseClock(): ShowcaseClock {
  let aheadMs = 0
  return Object.assign(() => Date.now() + aheadMs, {
    aheadMs: () => aheadMs,
    advance(ms: number) {
      aheadMs += ms
    },
    reset() {
      aheadMs = 0
    },
  })
}
