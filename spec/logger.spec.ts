import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type Logger, loggerOption } from '../lib/logger.js'
import { keptLog } from './support/log-lines.js'
import { unhandledRejectionsDuring } from './support/unhandled-rejections.js'

const LOGGER = new URL('../lib/logger.ts', import.meta.url).href

function thenable(then: PropertyDescriptor): object {
  return Object.defineProperty({}, 'then', then)
}

describe('a logger of the application', () => {
  const broken: [what: string, write: () => unknown][] = [
    ['throws', () => expect.fail('the disk is full')],
    ['throws nothing at all', () => Promise.reject(undefined)],
    ['is async and rejects', async () => expect.fail('the disk is full')],
    ['returns something with a then that throws', () => thenable({ value: () => expect.fail('no') })],
    ['returns something whose then cannot be read', () => thenable({ get: () => expect.fail('no') })],
    ['never ends', () => new Promise(() => undefined)],
  ]
  for (const [what, write] of broken) {
    it(`breaks nothing when it ${what}`, async () => {
      const logger = loggerOption('logger', { warn: write, error: write } as Logger)
      const unhandled = await unhandledRejectionsDuring(async () => {
        logger.warn('a line')
        logger.error('a line')
      })
      expect(unhandled).to.deep.equal([])
    })
  }

  it('keeps its this', () => {
    class Kept {
      readonly lines: string[] = []
      warn(line: string) {
        this.lines.push(line)
      }
      error = this.warn
    }
    const kept = new Kept()
    loggerOption('logger', kept).warn('a line')
    expect(kept.lines).to.deep.equal(['a line'])
  })

  it('gets no line that looks like several, or that moves a terminal', () => {
    const log = keptLog()
    const logger = loggerOption('logger', log)
    logger.error('x\nweapp-session: all is well\r\n\u001b[2Kat once\u2028\u0085\u0000!')
    expect(log.lines).to.deep.equal(['error: x weapp-session: all is well   [2Kat once   !'])
  })

  it('gets the frames of a stack line by line', () => {
    const log = keptLog()
    const stack = 'onLogin failed: RangeError: no\n    at f (a.ts:1:1)\n    at g (a.ts:2:1)\ncaused by Error'
    loggerOption('logger', log).error(stack)
    expect(log.lines).to.deep.equal([`error: ${stack}`])
  })

  it('is refused when it lacks a method', () => {
    const incomplete = { warn: () => undefined } as unknown as Logger
    expect(() => loggerOption('here: logger', incomplete)).to.throw(
      TypeError,
      'here: logger must be a Logger',
    )
  })
})

describe('the log on stderr', () => {
  it('does not end the process when nobody reads it any more', async () => {
    const lines = `
      import { stderrLogger } from ${JSON.stringify(LOGGER)}
      process.stdout.write('ready\\n')
      process.stdin.once('data', async () => {
        for (let line = 0; line < 5; line += 1) {
          stderrLogger.error('a line')
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        process.stdout.write('alive\\n', () => process.exit(0))
      })`
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', lines]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    await once(child.stdout, 'data')
    child.stderr.destroy()
    child.stdin.write('go\n')
    const [code] = await once(child, 'close')
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'ready\nalive\n' })
  })
})
