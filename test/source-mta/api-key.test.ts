import type { IncomingMessage, ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { toTrace } from '../../connector/api/errors.ts'
import { parseConfig, validateConfig } from '../../source-mta/config.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { LocalServers } from '../support/local-server.ts'
import { ANSWERED_AT_MS, activity, siriBody, siriText } from '../support/siri-bodies.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

// With characters that a URL escapes.
const KEY = 'S3cret-Key/of+Mine=='
const never = new AbortController().signal
const servers = new LocalServers()
afterEach(() => servers.close())

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const echo = (request: IncomingMessage): string => `you asked ${request.url} with ${KEY}`
const sending =
  (status: number, body: (request: IncomingMessage) => string | Uint8Array): Answer =>
  (request, response) => {
    response.writeHead(status, { etag: '"v1"' })
    response.end(body(request))
  }

/** Everything that a server may do to make a key known. */
const LEAKS: readonly Answer[] = [
  sending(200, () => siriBody([activity('1'), activity('2', { journey: { LineRef: '' } })])),
  sending(403, echo),
  sending(401, (request) => `<Error>${echo(request)}</Error>`),
  sending(500, echo),
  sending(200, (request) => `<html>${echo(request)}`),
  sending(200, (request) => `{ ${echo(request)}`),
  sending(200, (request) =>
    siriText({
      Siri: {
        ServiceDelivery: {
          VehicleMonitoringDelivery: [
            { ErrorCondition: { OtherError: { ErrorText: echo(request) } } },
          ],
        },
      },
    }),
  ),
  (request, response) => {
    response.writeHead(302, { location: `ftp://x/${request.url}` })
    response.end()
  },
  (request, response) => {
    response.writeHead(302, { location: request.url })
    response.end()
  },
  (_request, response) => void response.destroy(),
]

test('the API key is in nothing that is emitted, logged, counted, reported or thrown', async () => {
  let turn = 0
  const urls: (string | undefined)[] = []
  const base = await servers.serve((request, response) => {
    urls.push(request.url)
    const answer = LEAKS[turn]
    if (answer === undefined) response.end()
    else answer(request, response)
  })
  const props = {
    feeds: 'icymta-siri',
    'feeds.siri.base.url': base,
    'mta.bus.api.key': KEY,
    'health.degraded.after.failures': '1',
    'poll.jitter.ratio.percent': '0',
  }
  const clock = new FakeClock({ nowMs: ANSWERED_AT_MS })
  const context = new FakeSourceTaskContext(props, clock)
  const task = new MtaSourceTask()
  task.initialize(context)
  await task.start(props)
  const seen: unknown[] = []
  for (turn = 0; turn < LEAKS.length; turn++) {
    seen.push(await task.poll(never).catch((error: unknown) => toTrace(error)))
    await clock.advance(600_000)
  }
  task.stop()
  // It was really sent, and something came of each answer.
  expect(new URL(urls[0] ?? '', base).searchParams.get('key')).toBe(KEY)
  expect(seen).toHaveLength(LEAKS.length)
  expect(context.logged.join('\n')).toContain('[hidden]')
  const emitted = [
    inspect(seen, { depth: 20, maxArrayLength: null, maxStringLength: null }),
    JSON.stringify(seen, (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
    ...context.logged,
    ...context.counts.keys(),
    inspect(context.health, { depth: 20 }),
    JSON.stringify(validateConfig(props)),
    inspect(parseConfig(props), { depth: 20 }),
    JSON.stringify(parseConfig(props)),
  ].join('\n')
  const token = new URLSearchParams({ k: KEY }).toString().slice(2)
  for (const form of [KEY, encodeURIComponent(KEY), token, Buffer.from(KEY).toString('base64')]) {
    expect(emitted).not.toContain(form)
  }
})

test('a redirect to another host does not take the key along, though it names it', async () => {
  const seen: (string | undefined)[] = []
  const other = await servers.serve((request, response) => {
    seen.push(request.url)
    response.end(siriBody([activity('1')]))
  })
  const base = await servers.serve((request, response) => {
    response.writeHead(302, { location: `${other}${request.url}&x=1` })
    response.end()
  })
  const props = {
    feeds: 'icymta-siri',
    'feeds.siri.base.url': base,
    'mta.bus.api.key': KEY,
  }
  const context = new FakeSourceTaskContext(props, new FakeClock({ nowMs: ANSWERED_AT_MS }))
  const task = new MtaSourceTask()
  task.initialize(context)
  await task.start(props)
  await context.clock.advance(1_000)
  await task.poll(never)
  task.stop()
  expect(seen).toEqual(['/api/siri/vehicle-monitoring.json?version=2&x=1'])
})
