/** A clock to inject, which stands still until the test moves it. */
export interface TestClock {
  (): number
  readonly now: number
  advance(ms: number): void
  set(ms: number): void
}

export function testClock(start: number = Date.now()): TestClock {
  let now = start
  const controls = {
    get now() {
      return now
    },
    advance(ms: number) {
      now += ms
    },
    set(ms: number) {
      now = ms
    },
  }
  return Object.defineProperties(() => now, Object.getOwnPropertyDescriptors(controls)) as TestClock
}
