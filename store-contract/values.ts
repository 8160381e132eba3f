import assert from 'node:assert/strict'
import type { RuleBook } from './rule-book.js'
import { AWKWARD_TEXTS, endAllSessions, HOUR, newId, type StoreUnderTest } from './store-under-test.js'

export function valuesRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue } = subject

  async function read(id: string): Promise<string | null> {
    return (await subject.store.readValue(id))?.text ?? null
  }

  async function replace(
    id: string,
    from: string | null,
    to: string | null,
    keepMs = HOUR,
  ): Promise<boolean> {
    return (await subject.store.replaceValue({ id, from, to, keepMs })).isReplaced
  }

  /** The id of a value that has been set. */
  async function newValue(text: string, keepMs?: number): Promise<string> {
    const id = newId()
    assert.equal(await replace(id, null, text, keepMs), true)
    return id
  }

  describe('a shared value', () => {
    it('is null before it is set', async () => {
      assert.equal(await read(newId()), null)
    })

    it('is set where there is none', async () => {
      const id = newId()
      assert.equal(await replace(id, null, 'first'), true)
      assert.equal(await read(id), 'first')
    })

    it('is not set where there is one', async () => {
      const id = await newValue('first')
      assert.equal(await replace(id, null, 'second'), false)
      assert.equal(await replace(id, null, 'first'), false)
      assert.equal(await read(id), 'first')
    })

    it('is replaced by those who know it', async () => {
      const id = await newValue('first')
      assert.equal(await replace(id, 'first', 'second'), true)
      assert.equal(await replace(id, 'second', 'third'), true)
      assert.equal(await read(id), 'third')
    })

    it('is not replaced by those who know an earlier one, or almost know it', async () => {
      const id = await newValue('earlier')
      await replace(id, 'earlier', 'Válue')
      for (const from of ['earlier', 'V', 'Válue ', ' Válue', 'válue', 'Va\u0301lue', 'Válue\0']) {
        assert.equal(await replace(id, from, 'new'), false, JSON.stringify(from))
      }
      assert.equal(await read(id), 'Válue')
    })

    it('is not replaced where there is none', async () => {
      const id = newId()
      assert.equal(await replace(id, 'first', 'second'), false)
      assert.equal(await read(id), null)
    })

    it('is deleted by null, and can be set again', async () => {
      const id = await newValue('first')
      assert.equal(await replace(id, 'first', null), true)
      assert.equal(await read(id), null)
      assert.equal(await replace(id, 'first', 'second'), false)
      assert.equal(await replace(id, null, 'third'), true)
      assert.equal(await read(id), 'third')
    })

    it('is deleted only by those who know it', async () => {
      const id = await newValue('first')
      assert.equal(await replace(id, 'other', null), false)
      assert.equal(await replace(id, null, null), false)
      assert.equal(await read(id), 'first')
    })

    it('is not deleted where there is none', async () => {
      assert.equal(await replace(newId(), 'first', null), false)
    })

    for (const keepMs of [0, -HOUR]) {
      it(`is gone at once when it is kept for ${keepMs} ms`, async () => {
        const id = await newValue('first', keepMs)
        assert.equal(await read(id), null)
        assert.equal(await replace(id, 'first', 'second'), false)
      })
    }

    it('is dropped when its end comes, and is then as if it had never been', async () => {
      const id = await newValue('short', 20)
      await subject.passed(20)
      assert.equal(await read(id), null)
      assert.equal(await replace(id, 'short', 'new'), false)
      assert.equal(await replace(id, null, 'new'), true)
    })

    it('gets a later end from what replaces it', async () => {
      let id = newId()
      const durationMs = await subject.inTime(async (keepMs) => {
        id = await newValue('short', keepMs)
        return replace(id, 'short', 'long')
      })
      await subject.passed(durationMs)
      assert.equal(await read(id), 'long')
    })

    it('gets an earlier end from what replaces it, too', async () => {
      const id = await newValue('long')
      await replace(id, 'long', 'late', 0)
      assert.equal(await read(id), null)
    })

    it('keeps its end where it was not replaced', async () => {
      const id = await newValue('short', 20)
      await replace(id, 'other', 'long')
      await subject.passed(20)
      assert.equal(await read(id), null)
    })

    it('is not dropped by those who would have dropped another', async () => {
      const id = await newValue('first')
      await replace(id, 'other', 'late', 0)
      await replace(id, null, 'late', 0)
      assert.equal(await read(id), 'first')
    })

    it('has nothing to do with the values of other ids', async () => {
      const [one, other] = [await newValue('same'), await newValue('same')]
      await replace(one, 'same', 'new')
      assert.equal(await read(other), 'same')
      await replace(one, 'new', null)
      assert.equal(await read(other), 'same')
    })

    it('outlives all sessions', async () => {
      const { address } = await issue()
      const ids = [newId(), address.handle, address.sessionId, `{${address.handle}}:${address.sessionId}`]
      for (const id of ids) await replace(id, null, id)
      assert.equal(await endAllSessions(subject.store), 1)
      await subject.store.revokeUser(address.handle)
      assert.deepEqual(await Promise.all(ids.map(read)), ids)
    })

    it('has one winner among 20 that find none', async () => {
      const id = newId()
      const won = await Promise.all(Array.from({ length: 20 }, (_, number) => replace(id, null, `${number}`)))
      assert.equal(won.filter(Boolean).length, 1)
      assert.equal(await read(id), `${won.indexOf(true)}`)
    })

    it('has one winner among 20 that know it, whether they replace or delete it', async () => {
      const id = await newValue('first')
      const next = Array.from({ length: 20 }, (_, number) => (number % 2 === 0 ? null : `${number}`))
      const won = await Promise.all(next.map((to) => replace(id, 'first', to)))
      assert.equal(won.filter(Boolean).length, 1)
      assert.equal(await read(id), next[won.indexOf(true)])
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`with ${what} is compared and kept byte for byte`, async () => {
        const id = await newValue(text)
        assert.equal(await read(id), text)
        assert.equal(await replace(id, text, `again ${text}`), true)
        assert.equal(await read(id), `again ${text}`)
        assert.equal(await replace(id, `again ${text}`, null), true)
      })
    }
  })
}
