// Nothing is lost of any recorded body.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AvroConverter } from '../../connector/converters/avro.ts'
import type { ProfileName } from '../../source-mta/profiles.ts'
import { losses, newAvroConverter } from '../support/lossless.ts'
import { FEEDS, describeWith } from '../support/needs.ts'
import { type TestRegistry, startTestRegistry } from '../support/registry.ts'

let registry: TestRegistry
let converter: AvroConverter
beforeAll(async () => {
  registry = await startTestRegistry()
  converter = newAvroConverter(registry)
})
afterAll(async () => {
  converter.close()
  await registry.remove()
})

/** How a recorded body of that name is to be read. */
function profileOf(name: string): ProfileName {
  if (name.startsWith('alerts') || name.startsWith('DERIVED_alerts')) return 'camsys'
  if (/^(nonmta|other)/.test(name)) return 'generic'
  if (name.startsWith('lirr')) return 'lirr'
  if (name.startsWith('mnr')) return 'mnr'
  return name.includes('bus') ? 'obanyc' : 'nyct'
}

describeWith(['feeds'], 'lossless: every recorded body', () => {
  const names = readdirSync(FEEDS).filter((name) => name.endsWith('.pb'))
  test.each(names)('%s', async (name) => {
    const body = readFileSync(path.join(FEEDS, name))
    const { compared, differ } = await losses(converter, profileOf(name), [body])
    expect(differ).toEqual([])
    expect(compared).toBeGreaterThan(0)
  })

  test('the sequence of A, C and E', async () => {
    const folder = path.join(FEEDS, 'seq_ace_20240208')
    const bodies = readdirSync(folder)
      .sort()
      .map((name) => readFileSync(path.join(folder, name)))
    const { compared, differ } = await losses(converter, 'nyct', bodies)
    expect(differ).toEqual([])
    expect(compared).toBeGreaterThan(10_000)
  })
})
