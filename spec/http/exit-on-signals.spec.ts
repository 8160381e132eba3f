import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { exitOnSignals } from '../../lib/index.js'

const PROCESS = fileURLToPath(new URL('exiting-process.ts', import.meta.url))
const CLUSTER = fileURLToPath(new URL('ending-cluster.ts', import.meta.url))
const LONG_MS = 60_000
/** No answer takes so long, unless none comes. */
const ANSWER_MS = 10_000

interface End {
  readonly code: number | null
  readonly stderr: string
}

describe('exitOnSignals', () => {
  let child: ChildProcess | undefined
  afterEach(() => child?.kill('SIGKILL'))

  /** Tells a process to end whose shutdown goes as described; again and again where that is asked for. */
  async function endOf(
    how: string,
    signal: NodeJS.Signals,
    { withinMs = LONG_MS, repeatEveryMs = 0 } = {},
  ): Promise<End> {
    const args = ['--import', import.meta.resolve('tsx'), PROCESS, how, String(withinMs)]
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    let stderr = ''
    started.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    await once(started.stdout, 'data')
    const ended = once(started, 'close')
    started.kill(signal)
    const repeating = repeatEveryMs > 0 ? setInterval(() => started.kill(signal), repeatEveryMs) : undefined
    const [code] = await ended
    clearInterval(repeating)
    return { code, stderr }
  }

  it('ends the process with 0 when the function is done, whatever else goes on', async () => {
    expect(await endOf('comes to its end', 'SIGTERM')).to.deep.equal({ code: 0, stderr: '' })
  })

  it('ends it with 1 when the function fails, and tells the log without what may be a secret', async () => {
    const { code, stderr } = await endOf('fails', 'SIGTERM')
    expect(code).to.equal(1)
    expect(stderr).to.match(/^weapp-session: the shutdown failed: RangeError: … is gone\n\s+at /)
    expect(stderr).not.to.contain('planted')
  })

  it('ends it with 1 when the function takes too long', async () => {
    expect(await endOf('hangs', 'SIGINT', { withinMs: 1 })).to.deep.equal({
      code: 1,
      stderr: 'weapp-session: the shutdown took longer than 1 ms\n',
    })
  })

  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`ends it with ${code} when ${signal} comes again later on`, async () => {
      expect(await endOf('hangs', signal, { repeatEveryMs: 50 })).to.deep.equal({ code, stderr: '' })
    })
  }

  it('has a worker give back connections that the primary has handed to it, and ends it with 0', async () => {
    const args = ['--import', import.meta.resolve('tsx'), CLUSTER]
    const primary = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    child = primary
    const [line] = await once(primary.stdout, 'data')
    const { port, staying } = JSON.parse(line)
    const ended = once(primary.stdout, 'data')
    const url = `http://127.0.0.1:${port}`
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => supertest(url).get('/').timeout(ANSWER_MS)),
    )
    expect(new Set(answers.map(({ text }) => text))).to.deep.equal(new Set([`${staying}`]))
    expect(JSON.parse((await ended)[0])).to.deep.equal([0, null])
  })

  it('refuses wrong options', () => {
    const wrong: [unknown, unknown, string][] = [
      [undefined, {}, 'exitOnSignals: the first argument must be a function, not undefined'],
      [() => 0, { within: 1 }, 'exitOnSignals: unknown option "within"; known: withinMs, logger'],
      [() => 0, { withinMs: 0 }, 'exitOnSignals: withinMs must be an integer from 1 to 3600000, not 0'],
      [
        () => 0,
        { logger: {} },
        'exitOnSignals: logger must be a Logger such as console; it has no method "warn"',
      ],
    ]
    const before = process.listenerCount('SIGTERM')
    for (const [shutDown, options, message] of wrong)
      expect(() => exitOnSignals(shutDown as () => void, options as never)).to.throw(TypeError, message)
    expect(process.listenerCount('SIGTERM')).to.equal(before)
  })
})
