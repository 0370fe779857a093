import { describe, expect, test } from 'vitest'
import type { OffsetBackingStore } from '../../connector/storage/offset-backing-store.ts'

/** What every offset store must do. `make` gives a fresh one each time. */
export function offsetBackingStoreConformance(
  name: string,
  make: () => OffsetBackingStore | Promise<OffsetBackingStore>,
): void {
  const started = async (): Promise<OffsetBackingStore> => {
    const store = await make()
    await store.start()
    return store
  }

  describe(`${name} as an OffsetBackingStore`, () => {
    test('is empty at first', async () => {
      expect(await (await started()).entries()).toEqual(new Map())
    })

    test('keeps the last value of a key; null deletes', async () => {
      const store = await started()
      await store.set(
        new Map([
          ['["c",{"f":"ä"}]', '{"n":1}'],
          ['["c",{"f":"b"}]', '{"n":2}'],
        ]),
      )
      await store.set(
        new Map([
          ['["c",{"f":"ä"}]', '{"n":3}'],
          ['["c",{"f":"b"}]', null],
          ['["c",{"f":"none"}]', null],
        ]),
      )
      expect(await store.entries()).toEqual(new Map([['["c",{"f":"ä"}]', '{"n":3}']]))
      await store.stop()
    })

    test('applies changes in the order they were asked for', async () => {
      const store = await started()
      await Promise.all(
        Array.from({ length: 20 }, (_, n) => store.set(new Map([['k', String(n)]]))),
      )
      expect(await store.entries()).toEqual(new Map([['k', '19']]))
    })

    test('what it gave out does not change later', async () => {
      const store = await started()
      await store.set(new Map([['k', '1']]))
      const before = await store.entries()
      await store.set(new Map([['k', '2']]))
      expect(before).toEqual(new Map([['k', '1']]))
    })
  })
}
