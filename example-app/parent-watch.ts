import { readFileSync } from 'node:fs'

const LOOK_EVERY_MS = 100
/** Looked for at once, as npm may end while the process starts. */
const STARTERS = starters()

/**
 * Calls `onEnd` when npm, or the shell by which it has started this process, has ended. At SIGTERM the shell
 * ends without handing it on, and then npm; npm that is killed leaves the shell behind, which Linux alone
 * tells. Does nothing where npm has not started the process.
 */
export function watchParent(env: NodeJS.ProcessEnv, onEnd: () => void): void {
  if (!env.npm_lifecycle_event) return
  const looking = setInterval(() => {
    const now = starters()
    if (now === undefined || now === STARTERS) return
    clearInterval(looking)
    onEnd()
  }, LOOK_EVERY_MS).unref()
}

/** Returns the ids of the parent, and of npm where that is above it; undefined if they cannot be read. */
function starters(): string | undefined {
  try {
    return `${process.ppid} ${npmAbove(process.ppid)}`
  } catch {
    return undefined
  }
}

function npmAbove(pid: number): string {
  try {
    const [, above] = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return above && readFileSync(`/proc/${above}/comm`, 'utf8').startsWith('npm') ? above : ''
  } catch (error) {
    // Another system, or the parent has just ended. Anything else, such as no descriptor, says nothing.
    if (['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) return ''
    throw error
  }
}
