/** Tells the time in milliseconds since 1970, as `Date.now` does. Injected, so that tests can move it. */
export type Clock = () => number

/** The clock of the machine. */
export const systemClock: Clock = () => Date.now()
