import assert from 'node:assert/strict'
import type { StoredValue, ValueChange, ValueOutcome } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { AWKWARD_TEXTS, HOUR, newId, type StoreUnderTest } from './store-under-test.js'

export function valueOutcomesRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const replace = (change: ValueChange): Promise<ValueOutcome> => subject.store.replaceValue(change)

  /** The id of a value that has been set. */
  async function newValue(text: string, keepMs = HOUR): Promise<string> {
    const id = newId()
    await replace({ id, from: null, to: text, keepMs })
    return id
  }

  function textOf(value: StoredValue | null): string | null {
    if (!value) return null
    assert.ok(Number.isSafeInteger(value.writtenAt))
    assert.ok(0 < value.leftMs && value.leftMs <= HOUR)
    return value.text
  }

  async function expectOutcome(change: ValueChange, isReplaced: boolean, text: string | null): Promise<void> {
    const outcome = await replace(change)
    assert.equal(outcome.isReplaced, isReplaced)
    assert.equal(textOf(outcome.value), text)
    const found = await subject.store.readValue(change.id)
    assert.equal(textOf(found), text)
    assert.equal(found?.writtenAt, outcome.value?.writtenAt)
  }

  describe('what is told of a shared value that is to be replaced', () => {
    it('is the new one where there was none', async () => {
      await expectOutcome({ id: newId(), from: null, to: 'first', keepMs: HOUR }, true, 'first')
    })

    it('is the new one where it was replaced', async () => {
      const id = await newValue('first')
      await expectOutcome({ id, from: 'first', to: 'second', keepMs: HOUR }, true, 'second')
      await expectOutcome({ id, from: 'second', to: 'third' }, true, 'third')
    })

    it('is the one that is in the way', async () => {
      const id = await newValue('first')
      await expectOutcome({ id, from: null, to: 'second', keepMs: HOUR }, false, 'first')
      await expectOutcome({ id, from: 'other', to: 'second' }, false, 'first')
      await expectOutcome({ id, from: 'other', to: null }, false, 'first')
    })

    it('is null where the value that was read is not there', async () => {
      await expectOutcome({ id: newId(), from: 'first', to: 'second' }, false, null)
    })

    it('is null where the value was deleted', async () => {
      await expectOutcome({ id: await newValue('first'), from: 'first', to: null }, true, null)
    })

    for (const keepMs of [0, -HOUR]) {
      it(`is null where the new one is kept for ${keepMs} ms`, async () => {
        await expectOutcome({ id: newId(), from: null, to: 'first', keepMs }, true, null)
        await expectOutcome({ id: await newValue('first'), from: 'first', to: 'second', keepMs }, true, null)
      })
    }

    it('is null, and not what was there, when its end has come', async () => {
      const id = await newValue('short', 20)
      await subject.passed(20)
      await expectOutcome({ id, from: 'short', to: 'new' }, false, null)
    })

    it('is the value of the winner for all of 50 that find none', async () => {
      const id = newId()
      const texts = Array.from({ length: 50 }, (_, number) => `${number}`)
      const outcomes = await Promise.all(texts.map((to) => replace({ id, from: null, to, keepMs: HOUR })))
      const won = texts.filter((_, number) => outcomes[number]?.isReplaced)
      assert.equal(won.length, 1)
      assert.deepEqual(new Set(outcomes.map(({ value }) => value?.text)), new Set(won))
      assert.equal(new Set(outcomes.map(({ value }) => value?.writtenAt)).size, 1)
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`has ${what} byte for byte`, async () => {
        const id = newId()
        await expectOutcome({ id, from: null, to: text, keepMs: HOUR }, true, text)
        await expectOutcome({ id, from: null, to: 'other', keepMs: HOUR }, false, text)
      })
    }
  })
}
