// Nothing is lost of the recorded bodies that are part of the project.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AvroConverter } from '../../connector/converters/avro.ts'
import { FIXTURES, fixtureBody } from '../support/feed-fixtures.ts'
import { losses, newAvroConverter } from '../support/lossless.ts'
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

test.each(FIXTURES)('%s is the same after Avro, entity by entity', async (name, profile) => {
  const { compared, differ } = await losses(converter, profile, [fixtureBody(name)])
  expect(differ).toEqual([])
  expect(compared).toBeGreaterThan(0)
})
