/**
 * Loads ioredis only when it is needed, as it is optional. CommonJS, because a bundler follows a literal
 * `require`, and lets one in a `try` fail at run time.
 */
module.exports = function loadIoredis() {
  try {
    return require('ioredis')
  } catch (cause) {
    const [why] = String(cause instanceof Error ? cause.message : cause).split('\n')
    throw new TypeError(
      `REDIS_URL is set, but ioredis cannot be loaded (${why}): npm install ioredis, and in a bundle keep it inside or install it beside; or pass { sessions: createSessions({ … }) }`,
      { cause },
    )
  }
}
