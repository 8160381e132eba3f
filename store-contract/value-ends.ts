import assert from 'node:assert/strict'
import type { ValueChange } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { HOUR, newId, type StoreUnderTest } from './store-under-test.js'

export function valueEndsRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  async function read(id: string): Promise<string | null> {
    return (await subject.store.readValue(id))?.text ?? null
  }

  const replace = async (change: ValueChange) => (await subject.store.replaceValue(change)).isReplaced

  /** The id of a value that has been set. */
  async function newValue(text: string, keepMs = HOUR): Promise<string> {
    const id = newId()
    assert.equal(await replace({ id, from: null, to: text, keepMs }), true)
    return id
  }

  describe('how long a shared value is still kept', () => {
    async function leftMs(id: string): Promise<number> {
      return (await subject.store.readValue(id))?.leftMs ?? assert.fail('the value is gone')
    }

    it('is what was asked for, and becomes less', async () => {
      const id = await newValue('text')
      const first = await leftMs(id)
      assert.ok(0 < first && first <= HOUR)
      await subject.passed(2)
      const second = await leftMs(id)
      assert.ok(0 < second && second < first)
    })

    it('starts again with a replacement that says how long it is kept', async () => {
      const id = await newValue('old')
      await subject.store.replaceValue({ id, from: 'old', to: 'new', keepMs: 2 * HOUR })
      const longer = await leftMs(id)
      assert.ok(HOUR < longer && longer <= 2 * HOUR)
      await subject.store.replaceValue({ id, from: 'new', to: 'newer', keepMs: HOUR / 2 })
      const shorter = await leftMs(id)
      assert.ok(0 < shorter && shorter <= HOUR / 2)
    })

    it('goes on through replacements that say nothing of it', async () => {
      const id = await newValue('0')
      let left = await leftMs(id)
      for (let number = 0; number < 5; number += 1) {
        await subject.passed(2)
        const change = { id, from: `${number}`, to: `${number + 1}` }
        assert.equal(await replace(change), true)
        const next = await leftMs(id)
        assert.ok(0 < next && next < left, `${next} < ${left}`)
        left = next
      }
      assert.equal(await read(id), '5')
    })

    it('comes to its end however often the value is replaced', async () => {
      let id = newId()
      const durationMs = await subject.inTime(async (keepMs) => {
        id = await newValue('old', keepMs)
        return replace({ id, from: 'old', to: 'new' })
      })
      await subject.passed(durationMs)
      assert.equal(await read(id), null)
    })

    it('need not be said to delete a value', async () => {
      const id = await newValue('text')
      assert.equal(await replace({ id, from: 'text', to: null }), true)
      assert.equal(await read(id), null)
    })

    it('need not be said where the value is another', async () => {
      const id = await newValue('text')
      assert.equal(await replace({ id, from: 'other', to: 'new' }), false)
      assert.equal(await replace({ id: newId(), from: 'other', to: 'new' }), false)
      assert.equal(await read(id), 'text')
    })

    it('must be said where there is no value to replace', async () => {
      const id = newId()
      await assert.rejects(async () => subject.store.replaceValue({ id, from: null, to: 'text' }), TypeError)
      assert.equal(await read(id), null)
    })
  })
}
