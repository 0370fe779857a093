import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConnectError, DataError, RetriableError } from '../../../connector/api/errors.ts'
import { converters, rejection } from '../../support/avro-converters.ts'

const { converter, clock, log, troubles } = converters()

describe('AvroConverter and a registry in trouble', () => {
  let server: Server
  let url: string
  let requests = 0
  let answer: { status: number; body: unknown } | 'hang' = 'hang'
  beforeAll(async () => {
    server = createServer((_request, response) => {
      requests++
      if (answer === 'hang') return
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer.body))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const ASK = Buffer.from([0, 0, 0, 0, 1, 0])

  test.each([500, 502, 503, 429, 408])(
    'status %i is tried again, then a RetriableError',
    async (status) => {
      answer = { status, body: { error_code: status, message: 'busy' } }
      requests = 0
      const avro = converter(url, { 'max.retries': '3' })
      const error = await rejection(() => avro.toConnectData('t', [], ASK))
      expect(error).toBeInstanceOf(RetriableError)
      expect(requests).toBe(4)
    },
  )

  test('a refused connection is retriable, and the next address is asked', async () => {
    const gone = 'http://127.0.0.1:1'
    const only = converter(gone, { 'max.retries': '0' })
    expect(await rejection(() => only.toConnectData('t', [], ASK))).toBeInstanceOf(RetriableError)
    answer = { status: 200, body: { schema: '"boolean"' } }
    const both = converter(`${gone},${url}`, { 'max.retries': '0' })
    expect((await both.toConnectData('t', [], ASK)).value).toBe(false)
  })

  test('what is waited for is told, and when that is over', async () => {
    answer = { status: 503, body: { error_code: 50301, message: 'starting' } }
    troubles.length = 0
    const avro = converter(url, { 'max.retries': '2' })
    await rejection(() => avro.toConnectData('t', [], ASK))
    const why = 'The schema with id 1: the schema registry failed: starting'
    expect(troubles).toEqual([why, why, null])
    answer = { status: 200, body: { schema: '"boolean"' } }
    await avro.toConnectData('t', [], ASK)
    expect(troubles).toHaveLength(3)
  })

  test('a registry that never answers is given up after the limit', async () => {
    answer = 'hang'
    const avro = converter(url, { 'http.read.timeout.ms': '50', 'max.retries': '1' })
    const error = await rejection(() => avro.toConnectData('t', [], ASK))
    expect(error).toBeInstanceOf(RetriableError)
    expect((error as Error).message).toContain('no answer within 50 ms')
  })

  test('close ends a call that waits', async () => {
    answer = 'hang'
    const avro = converter(url)
    const waiting = rejection(() => avro.toConnectData('t', [], ASK))
    await expect.poll(() => requests).toBeGreaterThan(0)
    avro.close()
    expect(await waiting).toBeInstanceOf(ConnectError)
  })

  test('refused credentials are no reason to try again', async () => {
    answer = { status: 401, body: { error_code: 401, message: 'no' } }
    requests = 0
    const error = await rejection(() => converter(url).toConnectData('t', [], ASK))
    expect(error).toBeInstanceOf(ConnectError)
    expect(error).not.toBeInstanceOf(RetriableError)
    expect(requests).toBe(1)
  })

  test('an id that is not there is asked for once in a while, not for every record', async () => {
    answer = { status: 404, body: { error_code: 40403, message: 'Schema 1 not found' } }
    requests = 0
    const avro = converter(url)
    for (let i = 0; i < 5; i++) {
      expect(await rejection(() => avro.toConnectData('t', [], ASK))).toBeInstanceOf(DataError)
    }
    expect(requests).toBe(1)
    await clock.sleep(5_001)
    await rejection(() => avro.toConnectData('t', [], ASK))
    expect(requests).toBe(2)
  })

  test('a hundred records with one new id make one request', async () => {
    answer = { status: 200, body: { schema: '"boolean"' } }
    requests = 0
    const avro = converter(url)
    const all = await Promise.all(
      Array.from({ length: 100 }, async () => avro.toConnectData('t', [], ASK)),
    )
    expect(all.every(({ value }) => value === false)).toBe(true)
    expect(requests).toBe(1)
  })

  test('one client’s retries do not change another’s', async () => {
    answer = { status: 500, body: {} }
    const many = converter(url, { 'max.retries': '2' })
    converter(url, { 'max.retries': '0' })
    requests = 0
    await rejection(() => many.toConnectData('t', [], ASK))
    expect(requests).toBe(3)
  })

  test('a page of HTML with status 200 is passing trouble, a schema that is no Avro is not', async () => {
    answer = { status: 200, body: { schema: '{"type":"nosuch"}' } }
    expect(await rejection(() => converter(url).toConnectData('t', [], ASK))).toBeInstanceOf(
      DataError,
    )
    answer = { status: 200, body: { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' } }
    expect(await rejection(() => converter(url).toConnectData('t', [], ASK))).toBeInstanceOf(
      DataError,
    )
  })

  test('credentials go where they belong and nowhere else', async () => {
    const seen: (string | undefined)[] = []
    const listener = (request: { headers: { authorization?: string } }): void => {
      seen.push(request.headers.authorization)
    }
    server.on('request', listener)
    answer = { status: 401, body: { error_code: 401, message: 'no' } }
    const info = { 'basic.auth.credentials.source': 'USER_INFO', 'basic.auth.user.info': 'u:p:q' }
    const error = await rejection(() => converter(url, info).toConnectData('t', [], ASK))
    const inUrl = url.replace('://', '://me:secret%21@')
    await rejection(() => converter(inUrl).toConnectData('t', [], ASK))
    await rejection(() =>
      converter(url, { 'bearer.auth.token': 'tok' }).toConnectData('t', [], ASK),
    )
    server.off('request', listener)
    expect(seen).toEqual([
      `Basic ${Buffer.from('u:p:q').toString('base64')}`,
      `Basic ${Buffer.from('me:secret!').toString('base64')}`,
      'Bearer tok',
    ])
    expect(`${(error as Error).stack}${JSON.stringify(log.lines)}`).not.toMatch(/p:q|secret|tok\b/)
  })
})
