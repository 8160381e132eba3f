const LOOK_EVERY_MS = 100

/**
 * Calls `onEnd` when the shell that npm has started this process in has ended. npm hands SIGTERM to that shell, which
 * ends without handing it on: npm is gone then, and the process would go on without it. Does nothing where npm has not
 * started it.
 */
export function watchParent(env: NodeJS.ProcessEnv, onEnd: () => void): void {
  if (!env.npm_lifecycle_event) return
  const parent = process.ppid
  const looking = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(looking)
    onEnd()
  }, LOOK_EVERY_MS).unref()
}
