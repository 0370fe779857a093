import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startLocalRegistry } from '../../../../connector/local/registry/server.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { startTestRegistry, type TestRegistry } from '../../../support/registry.ts'

const schemaOf = (fields: readonly unknown[]): string =>
  JSON.stringify({ type: 'record', name: 'R', namespace: 'n', fields })
const A = schemaOf([{ name: 'a', type: 'string' }])
const B = schemaOf([
  { name: 'a', type: 'string' },
  { name: 'b', type: 'int', default: 0 },
])

let registry: TestRegistry
beforeEach(async () => {
  registry = await startTestRegistry()
})
afterEach(() => registry.remove())
const register = (subject: string, schema: string) =>
  registry.call('POST', `/subjects/${subject}/versions`, { schema })
const logFile = (): string => path.join(registry.dataDir, 'registry.jsonl')

const post = (body: string, type: string): Promise<Response> =>
  fetch(`${registry.url}/subjects/s/versions`, {
    method: 'POST',
    body,
    headers: { 'content-type': type },
  })

describe('what is kept', () => {
  test('subjects, ids, deletions, levels and modes survive a restart', async () => {
    await register('s', A)
    await register('s', B)
    await register('gone', '"int"')
    await registry.call('DELETE', '/subjects/gone')
    await registry.call('DELETE', '/subjects/gone?permanent=true')
    await registry.call('DELETE', '/subjects/s/versions/1')
    await registry.call('PUT', '/config/s', { compatibility: 'FULL' })
    await registry.call('PUT', '/mode/s', { mode: 'READONLY' })
    registry = await registry.restart()
    expect((await registry.call('GET', '/subjects?deleted=true')).body).toEqual(['s'])
    expect((await registry.call('GET', '/subjects/s/versions')).body).toEqual([2])
    expect((await registry.call('GET', '/subjects/s/versions?deleted=true')).body).toEqual([1, 2])
    expect((await registry.call('GET', '/config/s')).body).toEqual({ compatibilityLevel: 'FULL' })
    expect((await registry.call('GET', '/mode/s')).body).toEqual({ mode: 'READONLY' })
    // The id of what is gone for good is not given out again.
    expect((await register('next', '"double"')).body.id).toBe(4)
  })

  test('a last line that was cut short is dropped, and the next change is whole', async () => {
    await register('s', A)
    const whole = await readFile(logFile())
    for (const torn of ['{"kind":"register","subj', '{"kind":"register","subject":"x"\n']) {
      await registry.close()
      await writeFile(logFile(), whole)
      await appendFile(logFile(), torn)
      registry = await startTestRegistry({ dataDir: registry.dataDir })
      expect((await registry.call('GET', '/subjects')).body).toEqual(['s'])
    }
    await register('s', B)
    registry = await registry.restart()
    expect((await registry.call('GET', '/subjects/s/versions')).body).toEqual([1, 2])
  })

  test('every place of a cut leaves the changes before it, in order', async () => {
    for (const type of ['"int"', '"long"', '"string"'])
      await register(`s${type.length}${type[1]}`, type)
    const whole = await readFile(logFile())
    const lines = whole.toString().split('\n')
    for (let cut = 0; cut < whole.length; cut += 7) {
      await registry.close()
      await writeFile(logFile(), whole.subarray(0, cut))
      registry = await startTestRegistry({ dataDir: registry.dataDir })
      const complete = whole.subarray(0, cut).toString().split('\n').length - 1
      const { body } = await registry.call('GET', '/schemas')
      expect(body).toHaveLength(complete)
      expect((await readFile(logFile())).toString()).toBe(
        lines
          .slice(0, complete)
          .map((line) => `${line}\n`)
          .join(''),
      )
    }
  })

  test('a log that is damaged in the middle is not guessed at', async () => {
    await register('s', A)
    await register('s', B)
    await registry.close()
    const [first = ''] = (await readFile(logFile(), 'utf8')).split('\n')
    await writeFile(logFile(), `${first}\nbroken\n${first}\n`)
    await expect(startTestRegistry({ dataDir: registry.dataDir })).rejects.toThrow(
      /damaged at line 2/,
    )
    await writeFile(logFile(), `${first}\n`)
    registry = await startTestRegistry({ dataDir: registry.dataDir })
  })

  test('a subject loses its level with its last version, not before, and not a second time for good', async () => {
    await registry.call('PUT', '/config/s', { compatibility: 'NONE' })
    await register('s', A)
    await register('s', B)
    const level = async () => (await registry.call('GET', '/config/s')).status
    await registry.call('DELETE', '/subjects/s/versions/1')
    expect(await level()).toBe(200)
    await registry.call('DELETE', '/subjects/s/versions/2')
    expect(await level()).toBe(404)
    await registry.call('PUT', '/config/s', { compatibility: 'FULL' })
    await registry.call('DELETE', '/subjects/s?permanent=true')
    expect(await level()).toBe(200)
  })

  test('clients that register at once get one id for one schema, and numbers without a gap', async () => {
    await registry.call('PUT', '/config', { compatibility: 'NONE' })
    const texts = Array.from({ length: 40 }, (_, i) =>
      schemaOf([{ name: `f${i % 10}`, type: 'int' }]),
    )
    const answers = await Promise.all(texts.map((text) => register('s', text)))
    const ids = new Map(answers.map(({ body }, i) => [texts[i], body.id as number]))
    expect([...ids.values()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(answers.every(({ body }, i) => body.id === ids.get(texts[i] ?? ''))).toBe(true)
    expect((await registry.call('GET', '/subjects/s/versions')).body).toHaveLength(10)
  })
})

describe('the server', () => {
  test('says which port is taken', async () => {
    const { port } = new URL(registry.url)
    const starting = startLocalRegistry({
      port: Number(port),
      dataDir: path.join(registry.dataDir, 'other'),
      clock: new FakeClock(),
      log: registry.log,
    })
    await expect(starting).rejects.toThrow(`127.0.0.1:${port}: the port is in use`)
  })

  test.each([
    ['application/vnd.schemaregistry.v1+json', 'application/vnd.schemaregistry.v1+json'],
    ['application/vnd.schemaregistry+json', 'application/vnd.schemaregistry+json'],
    ['application/json', 'application/json'],
    ['text/html, application/json;q=0.9', 'application/json'],
    ['*/*', 'application/vnd.schemaregistry.v1+json'],
  ])('answers %s with %s', async (accept, type) => {
    const response = await fetch(`${registry.url}/subjects`, { headers: { accept } })
    expect(response.headers.get('content-type')).toBe(type)
  })

  test('refuses other bodies than JSON, long ones, and lists', async () => {
    expect((await post('{"schema":"x"}', 'application/x-www-form-urlencoded')).status).toBe(415)
    expect((await post('[]', 'application/json')).status).toBe(400)
    const long = JSON.stringify({ schema: 'x'.repeat(9_000_000) })
    const answer = await post(long, 'application/json').then(
      ({ status }) => status,
      () => 413, // The connection may be closed before all of it was sent.
    )
    expect(answer).toBe(413)
  })

  test('pages lists, reads booleans in any case and takes lists without end', async () => {
    for (const subject of ['a', 'b', 'c']) await register(subject, A)
    const get = async (target: string): Promise<unknown> =>
      (await registry.call('GET', target)).body
    expect(await get('/subjects?offset=1&limit=1')).toEqual(['b'])
    expect(await get('/subjects?deleted=False&deleted_only=False&offset=0&limit=-1')).toEqual([
      'a',
      'b',
      'c',
    ])
    expect(await get('/subjects/?subjectPrefix=b&unknown=1')).toEqual(['b'])
    expect(await get('/schemas/ids/1/subjects?limit=2')).toEqual(['a', 'b'])
    await registry.call('DELETE', '/subjects/b')
    expect(await get('/subjects?deletedOnly=TRUE')).toEqual(['b'])
  })

  test('contexts have ids of their own, by subject and by path', async () => {
    await register('s', A)
    const first = await register(encodeURIComponent(':.ctx:s'), B)
    const second = await registry.call('POST', '/contexts/.ctx/subjects/t/versions', { schema: B })
    expect([first.body.id, second.body.id]).toEqual([1, 1])
    expect((await registry.call('GET', '/contexts/.ctx/schemas/ids/1')).body.schema).toBe(B)
    expect((await registry.call('GET', '/schemas/ids/1?subject=:.ctx:s')).body.schema).toBe(B)
    expect((await registry.call('GET', '/schemas/ids/1')).body.schema).toBe(A)
    expect((await registry.call('GET', '/contexts/.ctx/subjects')).body).toEqual([
      ':.ctx:s',
      ':.ctx:t',
    ])
  })

  test('the path that a Python client asks for first is a 404 in JSON', async () => {
    const target = '/associations/resources/-/t?resourceType=topic&associationType=value'
    expect(await registry.call('GET', target)).toMatchObject({
      status: 404,
      body: { error_code: 404, message: 'HTTP 404 Not Found' },
    })
  })

  test('JSON schemas are kept, and compared only by the level that compares nothing', async () => {
    const put = (schema: string) =>
      registry.call('POST', '/subjects/j/versions', { schema, schemaType: 'JSON' })
    expect((await put('{ "type": "object" }')).status).toBe(200)
    expect((await put('{"type":"array"}')).status).toBe(409)
    await registry.call('PUT', '/config/j', { compatibility: 'NONE' })
    expect((await put('{"type":"array"}')).status).toBe(200)
    expect((await registry.call('GET', '/subjects/j/versions/1/schema')).body).toEqual({
      type: 'object',
    })
  })

  test('a request that is not HTTP gets a JSON answer and does no harm', async () => {
    const { port } = new URL(registry.url)
    const text = await new Promise<string>((resolve, reject) => {
      let received = ''
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('nonsense\r\n\r\n'))
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString()
      })
      socket.on('end', () => resolve(received))
      socket.on('error', reject)
    })
    expect(text).toMatch(/^HTTP\/1\.1 400[\s\S]*\{"error_code":400/)
    expect((await registry.call('GET', '/')).status).toBe(200)
  })

  test('no request, however odd, makes a crash, a 5xx or anything else than JSON', async () => {
    const words = fc.constantFrom(
      'subjects',
      's',
      'versions',
      'latest',
      '1',
      '-1',
      'schemas',
      'ids',
      'config',
      'mode',
      'compatibility',
      'contexts',
      '.',
      '%2F',
      '%zz',
      '',
      '__GLOBAL',
      ':.c:s',
      'schema',
      '99999999999',
    )
    const bodies = fc.oneof(
      fc.json().map((text) => text),
      fc.string(),
      fc
        .constantFrom(A, B, '"int"', '', '{"a":[1,{"b":null}]}')
        .map((schema) => JSON.stringify({ schema })),
      fc
        .record({
          schema: fc.oneof(fc.json(), fc.string(), fc.integer(), fc.constant(null)),
          schemaType: fc.constantFrom('AVRO', 'JSON', 'PROTOBUF', 'x', 3, null),
          id: fc.oneof(fc.integer(), fc.string()),
          version: fc.oneof(fc.integer(), fc.string()),
          references: fc.oneof(
            fc.jsonValue(),
            fc.constant([{ name: 'n', subject: 's', version: 1 }]),
          ),
          compatibility: fc.constantFrom('full', 'x', 4, {}),
          mode: fc.constantFrom('IMPORT', 'READONLY', 'READWRITE', [], 'x'),
        })
        .map((body) => JSON.stringify(body)),
    )
    const query = fc.constantFrom(
      '',
      '?deleted=x&limit=a',
      '?permanent=true',
      '?force=true',
      '?verbose&normalize=TRUE',
      '?%zz=%',
      '?offset=-5&limit=99999999999',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
        fc.array(words, { maxLength: 6 }),
        query,
        bodies,
        async (method, parts, search, body) => {
          const given = method === 'GET' ? undefined : body
          const answer = await registry.call(method, `/${parts.join('/')}${search}`, given)
          expect(answer.status).toBeLessThan(500)
          expect(answer.body).toBeDefined()
        },
      ),
      { numRuns: 1_500 },
    )
    expect(registry.log.lines).toEqual([])
    const before = (await registry.call('GET', '/schemas?deleted=true')).body
    registry = await registry.restart()
    expect((await registry.call('GET', '/schemas?deleted=true')).body).toEqual(before)
  })
})

describe('@kafkajs/confluent-schema-registry', () => {
  test('registers, evolves, encodes and decodes', async () => {
    const client = new SchemaRegistry({ host: registry.url, retry: { retries: 0 } })
    const { id } = await client.register({ type: SchemaType.AVRO, schema: A }, { subject: 's' })
    const next = await client.register({ type: SchemaType.AVRO, schema: B }, { subject: 's' })
    expect([id, next.id]).toEqual([1, 2])
    expect(await client.getLatestSchemaId('s')).toBe(2)
    expect(await client.getRegistryId('s', 1)).toBe(1)
    expect(await client.getRegistryIdBySchema('s', { type: SchemaType.AVRO, schema: A })).toBe(1)
    const bytes = await client.encode(next.id, { a: 'x', b: 5 })
    const other = new SchemaRegistry({ host: registry.url, retry: { retries: 0 } })
    expect(await other.decode(bytes)).toEqual({ a: 'x', b: 5 })
    const bad = schemaOf([{ name: 'c', type: 'int' }])
    await expect(
      client.register({ type: SchemaType.AVRO, schema: bad }, { subject: 's' }),
    ).rejects.toMatchObject({ status: 409 })
  })
})
