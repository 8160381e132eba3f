import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { MisbehaveOptions, Misbehaviour } from '../../sandbox/index.js'
import { aSandbox, exchange } from './a-sandbox.js'
import { ask } from './ask.js'

describe('sandbox.misbehave', () => {
  const sandbox = aSandbox()

  const errcodes = async (requests: number): Promise<unknown[]> => {
    const answers = []
    for (let i = 0; i < requests; i++) answers.push((await exchange(sandbox(), 'unknown')).json.errcode)
    return answers
  }

  it('lasts until it is restored', async () => {
    const restore = sandbox().misbehave({ errcode: 45011 })
    expect(await errcodes(2)).to.deep.equal([45011, 45011])
    restore()
    expect(await errcodes(1)).to.deep.equal([40029])
  })

  it('lasts as many times as it is told', async () => {
    sandbox().misbehave({ errcode: 45011 }, { times: 2 })
    expect(await errcodes(3)).to.deep.equal([45011, 45011, 40029])
  })

  it('queues the misbehaviours of an endpoint', async () => {
    sandbox().misbehave({ errcode: -1 }, { times: 1 })
    sandbox().misbehave({ errcode: 40226 }, { times: 1 })
    expect(await errcodes(3)).to.deep.equal([-1, 40226, 40029])
  })

  it('restores one and leaves the others', async () => {
    const restore = sandbox().misbehave({ errcode: -1 })
    sandbox().misbehave({ errcode: 40226 })
    restore()
    restore()
    expect(await errcodes(1)).to.deep.equal([40226])
  })

  it('concerns code2Session only, unless told otherwise', async () => {
    sandbox().misbehave('http500')
    const { status } = await ask(`${sandbox().url}/sandbox/login`, { method: 'POST' })
    expect(status).to.equal(200)
  })

  it('concerns the path that it is told', async () => {
    sandbox().misbehave('http500', { path: '/sandbox/login' })
    const { status } = await ask(`${sandbox().url}/sandbox/login`, { method: 'POST' })
    expect(status).to.equal(500)
    expect(await errcodes(1)).to.deep.equal([40029])
  })

  it('is over for all endpoints after behave', async () => {
    sandbox().misbehave('http500', { path: '/sandbox/login' })
    sandbox().misbehave({ errcode: -1 })
    sandbox().behave()
    expect((await ask(`${sandbox().url}/sandbox/login`, { method: 'POST' })).status).to.equal(200)
    expect(await errcodes(1)).to.deep.equal([40029])
  })

  const wrong: [what: string, how: unknown, options: unknown, message: RegExp][] = [
    ['an unknown name', 'explode', {}, /must be one of "hang", "drop", .*\{ errcode \} or \{ slowMs \}/],
    ['an empty object', {}, {}, /must be one of "hang"/],
    ['nothing', undefined, {}, /must be one of "hang"/],
    ['an errcode as text', { errcode: '40029' }, {}, /"errcode" must be an integer/],
    ['an unknown field', { errcode: 1, message: 'x' }, {}, /unknown option "message".*errcode, errmsg/],
    ['a negative delay', { slowMs: -1 }, {}, /"slowMs" must be a number of milliseconds from 0/],
    ['zero times', 'hang', { times: 0 }, /"times" must be a positive integer/],
    ['a path without slash', 'hang', { path: 'sns' }, /"path" must be a path/],
    ['an unknown option', 'hang', { time: 1 }, /unknown option "time"; known: path, times$/],
  ]

  for (const [what, how, options, message] of wrong) {
    it(`refuses ${what}`, () => {
      const misbehave = (): unknown => sandbox().misbehave(how as Misbehaviour, options as MisbehaveOptions)
      expect(misbehave).to.throw(TypeError, message)
    })
  }
})
