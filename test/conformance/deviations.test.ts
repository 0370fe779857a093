// The listed deviations excuse what they are about, and nothing beside it.
import { describe, expect, test } from 'vitest'
import { deviation } from './deviations.ts'
import type { Answer, Exchange } from './exchanges.ts'
import { History } from './history.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const answer = (status: number, body: unknown): Answer => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
})
const error = (status: number, message: string): Answer =>
  answer(status, { error_code: status, message })
const exchange = (
  method: string,
  path: string,
  recorded: Answer,
  requestBody?: string,
): Exchange => ({
  section: 's',
  id: 'i',
  worker: 'standalone',
  method,
  path,
  requestHeaders: {},
  requestBody,
  answer: recorded,
})
const reason = (each: Exchange, ours: Answer, history = new History()): string | undefined =>
  deviation({ exchange: each, expected: each.answer, ours, history })?.reason

const validated = (errors: Readonly<Record<string, readonly string[]>>): Answer =>
  answer(200, {
    name: 'C',
    error_count: Object.values(errors).flat().length,
    groups: [],
    configs: Object.entries(errors).map(([name, list]) => ({
      definition: { name },
      value: { name, value: null, recommended_values: [], errors: list, visible: true },
    })),
  })

const text = (...lines: readonly string[]): string =>
  ['Connector configuration is invalid and contains:', ...lines, 'You can also find'].join('\n')

describe('deviation', () => {
  test('topics may be missing only of a connector whose name was deleted before', () => {
    const asked = exchange('GET', '/connectors/c/topics', answer(200, { c: { topics: ['t'] } }))
    const none = answer(200, { c: { topics: [] } })
    expect(reason(asked, none)).toBeUndefined()
    const history = new History()
    history.add(exchange('DELETE', '/connectors/c', answer(204, '')), answer(204, ''), false)
    expect(reason(asked, none, history)).toContain('forgotten')
  })

  test('a refused connector is missing only until it is made', () => {
    const history = new History()
    const put = exchange('PUT', '/connectors/c/config', answer(201, {}), '{}')
    history.add(put, error(400, 'no'), true)
    const asked = exchange('GET', '/connectors/c', answer(200, {}))
    const missing = error(404, 'Connector c not found')
    expect(reason(asked, missing, history)).toContain('refused for that')
    history.add(put, answer(201, {}), false)
    expect(reason(asked, missing, history)).toBeUndefined()
  })

  const JACKSON = "Unrecognized token 'x'\n at [Source: REDACTED]"
  test.each([
    [error(500, 'Cannot deserialize the request: expected an object'), true],
    [error(400, 'Cannot deserialize the request: expected an object'), false],
    [answer(500, { message: 'Cannot deserialize the request: no code' }), false],
    [error(500, 'short'), false],
  ])('words for malformed JSON: %j excused %s', (ours, isExcused) => {
    const asked = exchange('POST', '/connectors', error(500, JACKSON), '{x')
    expect(reason(asked, ours) !== undefined).toBe(isExcused)
  })

  test('Java’s words for one key excuse no other key, and not a problem that ours misses', () => {
    const java = ['Invalid value [ for configuration a: Invalid regex: Unclosed']
    const asked = exchange('PUT', '/v', validated({ a: java, b: [] }))
    const own = ['Invalid value [ for configuration a: not a regular expression']
    expect(reason(asked, validated({ a: own, b: [] }))).toContain('Java’s words')
    expect(reason(asked, validated({ a: [], b: [] }))).toBeUndefined()
    expect(reason(asked, validated({ a: own, b: ['wrong'] }))).toBeUndefined()
    const both = exchange('PUT', '/v', validated({ a: java, b: ['missing'] }))
    expect(reason(both, validated({ a: own, b: [] }))).toBeUndefined()
  })

  test('what only ours finds excuses no other line of a refusal', () => {
    const asked = exchange('POST', '/connectors', answer(201, {}), '{}')
    const early = 'Invalid value 0 for configuration topic.creation.default.partitions'
    expect(reason(asked, error(400, text(early)))).toContain('it is refused')
    expect(reason(asked, error(400, text(early, 'Invalid value 1 for x')))).toBeUndefined()
    const refused = exchange('POST', '/connectors', error(400, text('Theirs')), '{}')
    expect(reason(refused, error(400, text(early)))).toBeUndefined()
  })

  test('a hidden value excuses only itself', () => {
    const body = '{"name":"c","config":{"topic":"${file:s:topic}"}}'
    const asked = exchange(
      'POST',
      '/connectors',
      error(400, 'Config {name=c,topic=x} is bad'),
      body,
    )
    expect(reason(asked, error(400, 'Config {topic=${file:s:topic}, name=c} is bad'))).toContain(
      'config provider',
    )
    expect(
      reason(asked, error(400, 'Config {topic=${file:s:topic}, name=c} is good')),
    ).toBeUndefined()
  })
})
