import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestRegistry, type TestRegistry } from '../../../support/registry.ts'

let registry: TestRegistry
beforeEach(async () => {
  registry = await startTestRegistry()
})
afterEach(() => registry.remove())

const record = (name: string, type: string): string =>
  JSON.stringify({ type: 'record', name, namespace: 'n', fields: [{ name: 'x', type }] })
const register = (subject: string, body: object) =>
  registry.call('POST', `/subjects/${subject}/versions`, body)
const refersTo = (version: number) => ({
  schema: record('B', 'n.A'),
  references: [{ name: 'n.A', subject: 'base', version }],
})

describe('schemas with references', () => {
  beforeEach(async () => {
    await registry.call('PUT', '/config/base', { compatibility: 'NONE' })
    await register('base', { schema: record('A', 'int') })
    await register('base', { schema: record('A', 'string') })
  })

  test('of one text are compared by what they refer to', async () => {
    expect((await register('r', refersTo(1))).status).toBe(200)
    const checked = await registry.call(
      'POST',
      '/compatibility/subjects/r/versions/latest',
      refersTo(2),
    )
    expect(checked.body.is_compatible).toBe(false)
    expect((await register('r', refersTo(2))).status).toBe(409)
    expect((await register('r', refersTo(1))).status).toBe(200)
  })

  test('of one text are two schemas when they refer to different ones', async () => {
    const first = await register('r', refersTo(1))
    const second = await register('other', refersTo(2))
    expect(second.body.id).not.toBe(first.body.id)
    expect((await register('third', refersTo(1))).body.id).toBe(first.body.id)
  })
})

test('an import cannot give an id to another schema', async () => {
  await register('s', { schema: '"int"' })
  await registry.call('PUT', '/mode/import', { mode: 'IMPORT' })
  const taken = await register('import', { schema: '"string"', id: 1, version: 1 })
  expect(taken).toMatchObject({ status: 422, body: { error_code: 42205 } })
  expect((await register('import', { schema: '"int"', id: 1, version: 1 })).status).toBe(200)
})

test('the settings of a context hold for its subjects, and for no others', async () => {
  await registry.call('PUT', '/contexts/.ctx/config', { compatibility: 'NONE' })
  for (const subject of [':.ctx:s', 's']) await register(subject, { schema: '"int"' })
  expect((await register(':.ctx:s', { schema: '"string"' })).status).toBe(200)
  expect((await register('s', { schema: '"string"' })).status).toBe(409)
  await registry.call('PUT', '/contexts/.ctx/mode', { mode: 'READONLY' })
  expect((await register(':.ctx:s', { schema: '"long"' })).status).toBe(422)
  expect((await register('t', { schema: '"long"' })).status).toBe(200)
})

test('the latest version is the last one that is not deleted', async () => {
  await register('s', { schema: '"int"' })
  await register('s', { schema: '"long"' })
  await registry.call('DELETE', '/subjects/s/versions/2')
  expect((await registry.call('GET', '/subjects/s/versions/latest')).body.version).toBe(1)
  await registry.call('DELETE', '/subjects/s/versions/latest')
  expect((await registry.call('GET', '/subjects/s/versions/latest')).status).toBe(404)
})
