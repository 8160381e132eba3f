import assert from 'node:assert/strict'
import type { RuleBook } from './rule-book.js'
import { HOUR, newId, type StoreUnderTest } from './store-under-test.js'

/** The highest number, as `MOST_COUNTED` of the package: only types are imported from there. */
const MOST = 999_999_999_999_999

export function countsRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const add = async (id: string, number: number, keepMs = HOUR) =>
    (await subject.store.addToValue({ id, add: number, keepMs })).number
  const read = async (id: string) => (await subject.store.readValue(id))?.text ?? null

  /** The id of a value that has been set. */
  async function newValue(text: string, keepMs = HOUR): Promise<string> {
    const id = newId()
    assert.equal((await subject.store.replaceValue({ id, from: null, to: text, keepMs })).isReplaced, true)
    return id
  }

  describe('a shared value that counts', () => {
    it('goes up from 0 and down again, and is a decimal text', async () => {
      const id = newId()
      assert.equal(await add(id, 1), 1)
      assert.equal(await add(id, 41), 42)
      assert.equal(await read(id), '42')
      assert.equal(await add(id, -2), 40)
      assert.equal(await read(id), '40')
    })

    it('is not kept at 0, and never goes below', async () => {
      const id = newId()
      assert.deepEqual(await subject.store.addToValue({ id, add: -1, keepMs: HOUR }), {
        number: 0,
        leftMs: 0,
      })
      assert.equal(await read(id), null)
      await add(id, 2)
      assert.deepEqual(await subject.store.addToValue({ id, add: -7, keepMs: HOUR }), {
        number: 0,
        leftMs: 0,
      })
      assert.equal(await read(id), null)
      assert.equal(await add(id, 1), 1)
    })

    it('never goes above the highest number', async () => {
      const id = newId()
      assert.equal(await add(id, MOST), MOST)
      assert.equal(await add(id, MOST), MOST)
      assert.equal(await read(id), String(MOST))
      assert.equal(await add(id, -1), MOST - 1)
    })

    for (const text of ['nonsense', '-3', '1.5', ' 7', '7 ', '7\n', '1e3', '0x10', '9'.repeat(16)]) {
      it(`counts from 0 where the text is ${JSON.stringify(text)}, and keeps the end`, async () => {
        const id = await newValue(text, HOUR / 2)
        const { number, leftMs } = await subject.store.addToValue({ id, add: 3, keepMs: HOUR })
        assert.equal(number, 3)
        assert.ok(0 < leftMs && leftMs <= HOUR / 2)
        assert.equal(await read(id), '3')
      })
    }

    it('counts on from what was written as a number', async () => {
      assert.equal(await add(await newValue('0041'), 1), 42)
    })

    it('is known to those who replace it', async () => {
      const id = newId()
      await add(id, 5)
      assert.equal((await subject.store.replaceValue({ id, from: '5', to: '6' })).isReplaced, true)
      assert.equal(await add(id, 1), 7)
    })

    it('is kept from the first addition on, however often it is added to', async () => {
      let id = newId()
      const durationMs = await subject.inTime(async (keepMs) => {
        id = newId()
        await add(id, 1, keepMs)
        return (await add(id, 1, HOUR)) === 2
      })
      await subject.passed(durationMs)
      assert.equal(await read(id), null)
      assert.equal(await add(id, 1), 1)
    })

    it('says how long it is still kept', async () => {
      const id = newId()
      const first = await subject.store.addToValue({ id, add: 1, keepMs: HOUR })
      await subject.passed(2)
      const second = await subject.store.addToValue({ id, add: 1, keepMs: 2 * HOUR })
      assert.ok(0 < second.leftMs && second.leftMs < first.leftMs && first.leftMs <= HOUR)
    })

    for (const keepMs of [0, -HOUR]) {
      it(`is not kept where it is to be for ${keepMs} ms`, async () => {
        const id = newId()
        assert.equal((await subject.store.addToValue({ id, add: 1, keepMs })).leftMs, 0)
        assert.equal(await read(id), null)
      })
    }

    it('loses none of 200 additions at the same time, and gives each another number', async () => {
      const id = newId()
      const numbers = await Promise.all(Array.from({ length: 200 }, () => add(id, 1)))
      assert.equal(new Set(numbers).size, 200)
      assert.equal(Math.max(...numbers), 200)
      assert.equal(await read(id), '200')
    })

    it('has nothing to do with the values of other ids', async () => {
      const [one, other] = [newId(), newId()]
      await add(one, 1)
      assert.equal(await add(other, 5), 5)
      assert.equal(await read(one), '1')
    })
  })
}
