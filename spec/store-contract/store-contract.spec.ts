import { AssertionError } from 'node:assert'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { MemoryStore, type SessionEntry, type SessionStore, type ValueChange } from '../../lib/index.js'
import { type StoreContractOptions, type StoreRule, storeContract } from '../../store-contract/index.js'
import { readRules } from '../../store-contract/rule-book.js'

/** A store that does one thing wrong. */
interface Mutant {
  readonly fault: string
  readonly createStore: () => SessionStore
  /** A rule that it breaks. */
  readonly broken: string
}

const mutants: readonly Mutant[] = [
  {
    fault: 'ends the newest session at the cap',
    createStore: () =>
      new (class extends MemoryStore {
        override async issue(entry: SessionEntry, withinMs?: number) {
          const { sessions } = await super.readUser(entry.address.handle)
          const newest = sessions.length >= entry.maxSessions ? sessions.at(-1)?.sessionId : undefined
          return super.issue({ ...entry, replaces: entry.replaces ?? newest }, withinMs)
        }
      })(),
    broken: 'the cap ends the oldest session for one more',
  },
  {
    fault: 'does not look at withinMs',
    createStore: () =>
      new (class extends MemoryStore {
        override writeUserInfo(handle: string, userInfo: string | null, keepMs: number) {
          return super.writeUserInfo(handle, userInfo, keepMs)
        }
      })(),
    broken: 'a change that comes too late is not made and throws: a profile, within 0 ms',
  },
  {
    fault: 'reads before it writes',
    createStore: () =>
      new (class extends MemoryStore {
        override async replaceValue(change: ValueChange, withinMs?: number) {
          const found = await this.readValue(change.id)
          if ((found?.text ?? null) !== change.from) return { isReplaced: false, value: found }
          await super.replaceValue({ ...change, from: found?.text ?? null, to: null })
          return super.replaceValue(
            { ...change, from: null, keepMs: change.keepMs ?? found?.leftMs },
            withinMs,
          )
        }
      })(),
    broken: 'a shared value has one winner among 20 that know it, whether they replace or delete it',
  },
]

async function failureOf({ run }: StoreRule): Promise<Error | undefined> {
  return run().then(
    () => undefined,
    (error) => error as Error,
  )
}

describe('storeContract', () => {
  it('gives each rule a name of its own', () => {
    const names = storeContract({ createStore: () => new MemoryStore() }).map(({ name }) => name)
    expect(new Set(names).size).to.equal(names.length)
  })

  it('lets all rules run at the same time', async () => {
    const rules = storeContract({ createStore: () => new MemoryStore() })
    const failures = await Promise.all(rules.map(failureOf))
    expect(failures.filter(Boolean)).to.deep.equal([])
  })

  for (const { fault, createStore, broken } of mutants) {
    it(`finds a store that ${fault}, and names the rule`, async () => {
      const rule = storeContract({ createStore }).find(({ name }) => name === broken)
      const failure = rule && (await failureOf(rule))
      expect(failure?.message).to.match(/^the store breaks the rule "/)
      expect(failure?.message).to.include(`"${broken}": AssertionError`)
      expect(failure?.cause).to.be.instanceOf(AssertionError)
    })
  }

  it('names the rule where there is no store, with the reason', async () => {
    const reason = new Error('the table does not exist')
    const [rule] = storeContract({ createStore: () => Promise.reject(reason) })
    const failure = rule && (await failureOf(rule))
    expect(failure).to.have.property('cause', reason)
    expect(failure?.message).to.equal(`the store breaks the rule "${rule?.name}": ${reason}`)
  })

  it('makes a store for each run, and closes it, whether or not the rule is kept', async () => {
    const log: string[] = []
    class LoggedStore extends MemoryStore {
      override async close(): Promise<void> {
        log.push('closed')
        await super.close()
      }
    }
    class DeafStore extends LoggedStore {
      override async ping(): Promise<void> {
        throw new Error('no answer')
      }
    }
    for (const Store of [LoggedStore, DeafStore]) {
      const createStore = () => {
        log.push('made')
        return new Store()
      }
      const rule = storeContract({ createStore }).find(({ name }) => name.startsWith('ping'))
      expect((await failureOf(rule ?? expect.fail('no rule')))?.message).to.equal(
        Store === DeafStore ? `the store breaks the rule "${rule?.name}": Error: no answer` : undefined,
      )
    }
    expect(log).to.deep.equal(['made', 'closed', 'made', 'closed'])
  })

  for (const [title, options, words] of [
    [
      'an option it does not know',
      { createStore: () => new MemoryStore(), clock: Date.now },
      /"clock".*known: createStore, now/,
    ],
    [
      'a store in place of a function',
      { createStore: new MemoryStore() },
      /"createStore" must be a function/,
    ],
    [
      'a time in place of a clock',
      { createStore: () => new MemoryStore(), now: 0 },
      /"now" must be a function/,
    ],
    ['no options', undefined, /the options must be an object/],
  ] as const) {
    it(`refuses ${title}`, () => {
      expect(() => storeContract(options as unknown as StoreContractOptions)).to.throw(TypeError, words)
    })
  }
})

describe('readRules', () => {
  it('joins subjects and sentences, in the order in which they are written', () => {
    const check = async () => {}
    const rules = readRules(({ describe, it }) => {
      describe('touch', () => {
        it('records a visit', check)
        describe('of a session that ended', () => it('does nothing', check))
        it('moves the end', check)
      })
      it('ping resolves', check)
    })
    expect(rules.map(({ name }) => name)).to.deep.equal([
      'touch records a visit',
      'touch of a session that ended does nothing',
      'touch moves the end',
      'ping resolves',
    ])
  })
})
