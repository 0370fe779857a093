import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openChangeLog } from '../../../../connector/local/registry/change-log.ts'
import { type Change, RegistryStore } from '../../../../connector/local/registry/store.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'change-log-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function openStore() {
  const store = new RegistryStore()
  const log = await openChangeLog(folder, {
    replay: (change) => store.apply(change as Change),
    snapshot: () => store.snapshot(),
  })
  const change = async (each: Change): Promise<void> => {
    await log.append(each)
    store.apply(each)
  }
  return { store, log, change }
}

const lines = async (): Promise<number> =>
  (await readFile(path.join(folder, 'registry.jsonl'), 'utf8')).split('\n').length - 1

const register = (subject: string, version: number, id: number): Change => ({
  kind: 'register',
  subject,
  version,
  id,
  schemaType: 'AVRO',
  schema: `{"type":"fixed","name":"F","size":${id}}`,
  references: [],
  ts: id,
})

describe('openChangeLog', () => {
  test('lets one registry at a time have the folder', async () => {
    const { log } = await openStore()
    await expect(openStore()).rejects.toThrow(`in use by process ${process.pid}`)
    await log.close()
    const again = await openStore()
    await again.log.close()
  })

  test('a long log of little is written anew, and means the same', async () => {
    const before = await openStore()
    await before.change(register('kept', 1, 1))
    for (let id = 2; id < 600; id++) {
      await before.change(register('gone', 1, id))
      await before.change({ kind: 'delete', subject: 'gone', versions: [1], permanent: true })
    }
    await before.log.close()
    expect(await lines()).toBe(1_197)
    const after = await openStore()
    expect(await lines()).toBe(2)
    expect(after.store.snapshot()).toEqual(before.store.snapshot())
    expect(after.store.highestId('.')).toBe(599)
    await after.change(register('new', 1, 600))
    await after.log.close()
    const last = await openStore()
    expect(last.store.subjects()).toEqual(['kept', 'new'])
    await last.log.close()
  })

  test('a short log stays as it is', async () => {
    const before = await openStore()
    for (let turn = 0; turn < 100; turn++)
      await before.change({ kind: 'mode', subject: null, mode: 'READWRITE' })
    await before.log.close()
    await (await openStore()).log.close()
    expect(await lines()).toBe(100)
  })
})

describe('RegistryStore.snapshot', () => {
  const subject = fc.constantFrom('a', 'b', ':.c:a')
  const version = fc.integer({ min: 1, max: 3 })
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc
      .tuple(subject, version, fc.integer({ min: 1, max: 6 }))
      .map(([name, number, id]) => register(name, number, id)),
    fc.record({
      kind: fc.constant('delete' as const),
      subject,
      versions: fc.array(version, { minLength: 1, maxLength: 2 }),
      permanent: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('config' as const),
      subject: fc.option(subject),
      config: fc.option(fc.constantFrom({ compatibility: 'FULL' as const }, { normalize: true })),
    }),
    fc.record({
      kind: fc.constant('mode' as const),
      subject: fc.option(subject),
      mode: fc.option(fc.constantFrom('READONLY' as const, 'IMPORT' as const)),
    }),
  )

  test('makes the same store again, whatever happened to it', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const store = new RegistryStore()
        for (const each of changes) store.apply(each)
        const copy = new RegistryStore()
        for (const each of store.snapshot()) copy.apply(each)
        expect(copy.snapshot()).toEqual(store.snapshot())
        expect(copy.contexts()).toEqual(store.contexts())
        for (const context of store.contexts()) {
          expect(copy.highestId(context)).toBe(store.highestId(context))
          for (let id = 1; id <= 6; id++)
            expect(copy.byId(context, id)).toEqual(store.byId(context, id))
        }
      }),
      { numRuns: 300 },
    )
  })
})
