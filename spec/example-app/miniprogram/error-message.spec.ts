import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { ERROR_CODES, WeappError } from '../../../lib/index.js'
import { createSandbox, type Sandbox } from '../../../sandbox/index.js'
import { type MiniProgram, startMiniProgram } from './mini-program.js'

const SENTENCE = /^[\p{Script=Han}，A-Za-z0-9 ]+$/u

describe('the error messages of the mini-program', () => {
  let sandbox: Sandbox
  let miniProgram: MiniProgram
  let errorMessage: (error: unknown) => string

  beforeEach(async () => {
    sandbox = await createSandbox()
    miniProgram = startMiniProgram(sandbox.phone(), 'http://127.0.0.1')
    errorMessage = miniProgram.load<{ errorMessage: typeof errorMessage }>('error-message.ts').errorMessage
  })
  afterEach(async () => {
    miniProgram.close()
    await sandbox.close()
  })

  for (const code of ERROR_CODES) {
    it(`are a Chinese sentence for ${code}`, () => {
      const words = errorMessage(new WeappError(code, 'in English'))
      expect(words).to.match(SENTENCE)
      expect(words).not.to.equal(errorMessage(undefined))
    })
  }

  for (const code of ['ERR_NETWORK', 'ERR_WX_LOGIN']) {
    it(`are a Chinese sentence for ${code} of the client`, () => {
      expect(errorMessage({ code })).to.match(SENTENCE).and.not.to.equal(errorMessage(undefined))
    })
  }

  for (const [statusCode, retryAfterSeconds, words] of [
    [503, undefined, '服务器正忙，请稍后再试'],
    [503, 0, '服务器正忙，请稍后再试'],
    [503, 1.5, '服务器正忙，请 2 秒后再试'],
    [503, 3600, '服务器正忙，请 60 分钟后再试'],
    [429, 60, '操作太频繁，请 60 秒后再试'],
  ] as const) {
    it(`tell how long to wait: ${statusCode} after ${retryAfterSeconds}`, () => {
      expect(errorMessage({ code: 'ERR_STORE_UNAVAILABLE', statusCode, retryAfterSeconds })).to.equal(words)
    })
  }

  it('exist for an answer that nobody expects, and for whatever is thrown', () => {
    for (const statusCode of [302, 404, 413, 500, 502]) {
      expect(errorMessage({ code: 'ERR_ANSWER_UNEXPECTED', statusCode })).to.match(SENTENCE)
    }
    for (const thrown of [undefined, null, 'a text', new TypeError('a bug')]) {
      expect(errorMessage(thrown)).to.equal('出了点问题，请稍后再试')
    }
  })
})
