import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseSchema } from '../../../../connector/local/registry/avro-parser.ts'
import {
  type CompatibilityLevel,
  incompatibilitiesAt,
  reachOf,
} from '../../../../connector/local/registry/compatibility-level.ts'
import {
  type Incompatibility,
  readerWriterIncompatibilities,
} from '../../../../connector/local/registry/compatibility.ts'
import { startTestRegistry, type TestRegistry } from '../../../support/registry.ts'

interface Case {
  readonly id: string
  readonly name?: string
  readonly source: string
  readonly new: string
  readonly previous: readonly string[]
  readonly compatible: Readonly<Record<CompatibilityLevel, boolean>>
  readonly incompatibilities?: {
    readonly BACKWARD?: readonly Incompatibility[]
    readonly FORWARD?: readonly Incompatibility[]
  }
}

const FILE = new URL('../../../fixtures/registry/avro-compatibility.jsonl', import.meta.url)
const CASES = readFileSync(FILE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case)
const LEVELS = [
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const

const titled = CASES.map((each) => ({ ...each, title: `${each.id} ${each.name ?? each.source}` }))

describe('the compatibility rule', () => {
  test('the case table is whole', () => {
    expect(CASES).toHaveLength(338)
  })

  test.each(titled)('$title', (each) => {
    const next = parseSchema(each.new)
    const previous = each.previous.map((text) => parseSchema(text))
    const verdicts = LEVELS.map((level) => [
      level,
      reachOf(level, previous).every((old) => incompatibilitiesAt(level, next, old).length === 0),
    ])
    expect(Object.fromEntries(verdicts)).toEqual(each.compatible)
    const latest = previous.at(-1)
    const { BACKWARD, FORWARD } = each.incompatibilities ?? {}
    if (latest === undefined) throw new Error('a case without an earlier version')
    if (each.incompatibilities === undefined) return
    expect(readerWriterIncompatibilities(next, latest)).toEqual(BACKWARD ?? [])
    expect(readerWriterIncompatibilities(latest, next)).toEqual(FORWARD ?? [])
  })
})

describe('the compatibility rule over HTTP', () => {
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await startTestRegistry()
    await registry.call('PUT', '/config', { compatibility: 'NONE' })
  })
  afterAll(() => registry.remove())

  test.each(titled)('$title', async (each) => {
    const subject = `s-${each.id}`
    for (const schema of each.previous) {
      const answer = await registry.call('POST', `/subjects/${subject}/versions`, { schema })
      expect(answer).toMatchObject({ status: 200 })
    }
    const verdicts: Record<string, boolean> = {}
    for (const level of LEVELS) {
      await registry.call('PUT', `/config/${subject}`, { compatibility: level })
      const body = { schema: each.new }
      const target = `/compatibility/subjects/${subject}/versions?verbose=true`
      const answer = await registry.call('POST', target, body)
      verdicts[level] = answer.body.is_compatible
      expect(answer.body.messages.length === 0).toBe(answer.body.is_compatible)
    }
    expect(verdicts).toEqual(each.compatible)
    // Registering asks the same question: by the last level, which is FULL_TRANSITIVE.
    const { status } = await registry.call('POST', `/subjects/${subject}/versions`, {
      schema: each.new,
    })
    const known = each.previous.some((text) => text === each.new)
    expect(status === 200).toBe(each.compatible.FULL_TRANSITIVE || known)
  })
})
