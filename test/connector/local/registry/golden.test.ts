// The recorded sequence as one test per step, in order: each step finds what those before it have left.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bodyOf, type Step } from '../../../support/registry-golden.ts'
import { startTestRegistry, type TestRegistry } from '../../../support/registry.ts'

const FILE = new URL('../../../fixtures/registry/golden.jsonl', import.meta.url)
const STEPS = readFileSync(FILE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Step)

describe('the local registry against the recorded sequence', () => {
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await startTestRegistry()
  })
  afterAll(() => registry.remove())

  test('the sequence is whole', () => {
    expect(STEPS.map(({ n }) => n)).toEqual(Array.from({ length: 133 }, (_, i) => i + 1))
  })

  test.each(STEPS)('step $n: $request.method $request.path', async ({ n, request, confluent }) => {
    const given = request.body
    const body = typeof given === 'string' ? given.replace(/^RAW:/, '') : given
    const answer = await registry.call(request.method, request.path, body)
    expect(answer).toEqual({
      status: confluent.status,
      type: 'application/vnd.schemaregistry.v1+json',
      body: bodyOf(n, confluent),
    })
    NOTES[n]?.(answer.body)
  })
})

/** What the recording says in words. */
// oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
const NOTES: Readonly<Record<number, (body: any) => void>> = {
  27: (body) =>
    expect(Object.keys(body).sort()).toEqual(['guid', 'id', 'schema', 'schemaType', 'version']),
  32: (body) => {
    expect(body.message).toContain("errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'")
    expect(body.message).toContain('{oldSchemaVersion: 2}, {oldSchema: ')
    expect(body.message).toContain("{validateFields: 'false', compatibility: 'BACKWARD'}")
  },
  33: (body) => expect(body.message).toMatch(/^Invalid schema/),
  37: (body) => expect(body.message).toMatch(/^Invalid schema type NOPE/),
  44: (body) => expect(body.schemaType).toBe('AVRO'),
  59: (body) => expect(body).toMatchObject([{ subject: 's1', version: 2, id: 2 }]),
  60: (body) => expect(body).not.toHaveProperty('messages'),
  62: (body) =>
    expect(body.messages).toEqual([
      "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'c' at path '/fields/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'c'}",
      '{oldSchemaVersion: 2}',
      expect.stringContaining("{oldSchema: '{"),
      "{validateFields: 'false', compatibility: 'BACKWARD'}",
    ]),
  67: (body) => expect(body.messages).toHaveLength(1),
  72: (body) => expect(body).toEqual({}),
  95: (body) => expect(body).toEqual([expect.any(Number)]),
  96: (body) =>
    expect(body.references).toEqual([{ name: 'n.Base', subject: 'ref-base', version: 1 }]),
  115: (body) => expect(body).not.toContain('s1'),
  116: (body) => expect(body).toContain('s1'),
  121: (body) => expect(body.version).toBe(4),
  124: (body) => expect(body).toEqual([2, 3, 4]),
  125: (body) => expect(body).not.toContain('s1'),
  126: (body) => expect(body.version).toBe(1),
  130: (body) => expect(body.id).toBe(1),
  133: (body) => expect(body.id).toBe(1),
}
