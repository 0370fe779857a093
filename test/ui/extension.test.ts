import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { MtaUiExtension } from '../../ui/extension.ts'
import type { LiveMessage } from '../../ui/live/messages.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { FakeRestExtensionContext } from '../support/fake-rest-extension-context.ts'
import { taskStatus } from '../support/fake-worker.ts'
import { busReport, vehicleRecord } from '../support/vehicle-records.ts'

const EPOCH = Date.parse('2026-09-23T12:20:00Z')
const STATUS = {
  name: 'mta-source',
  type: 'source',
  state: 'RUNNING',
  workerId: '127.0.0.1:8083',
  trace: undefined,
  tasks: [taskStatus(0)],
} as const

let folder = ''
let clock: FakeClock
let context: FakeRestExtensionContext
let extension: MtaUiExtension
let server: Server
const pages: WebSocket[] = []

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ui-extension-'))
  writeFileSync(path.join(folder, 'index.html'), '<h1>page</h1>')
  clock = new FakeClock({ nowMs: EPOCH })
  context = new FakeRestExtensionContext(clock)
  extension = new MtaUiExtension()
  extension.configure({ 'ui.topics': ' t , u', 'ui.feeds': 'replay', 'ui.app.dir': folder })
  extension.register(context)
  server = createServer((request, response) => {
    void context.handlers.get('/ui')?.(request, response)
  })
  server.on('upgrade', (request, socket, head: Buffer) =>
    context.upgrades.get('/ui/live')?.(request, socket, head),
  )
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
})

afterEach(async () => {
  await extension.close()
  for (const page of pages.splice(0)) page.terminate()
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
  rmSync(folder, { recursive: true })
})

const address = (protocol: string): string =>
  `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`

interface Page {
  readonly messages: LiveMessage[]
  /** Lets seconds of the worker pass until a message of this kind comes. */
  next<T extends LiveMessage['type']>(type: T): Promise<Extract<LiveMessage, { type: T }>>
}

/** A page that is connected. */
async function openPage(): Promise<Page> {
  const socket = new WebSocket(`${address('ws')}/ui/live`)
  pages.push(socket)
  const messages: LiveMessage[] = []
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()) as LiveMessage)
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return {
    messages,
    async next(type) {
      for (;;) {
        const index = messages.findIndex((message) => message.type === type)
        if (index >= 0) return messages.splice(index, 1)[0] as never
        await clock.advance(1_000)
        await settled()
      }
    },
  }
}

const figure = (total: number): string =>
  `kafka_connect_sink_task_sink_record_send_total{connector="out",task="0"} ${total}\n`

describe('MtaUiExtension', () => {
  test('serves the page', async () => {
    const response = await fetch(`${address('http')}/ui/`)
    expect(await response.text()).toBe('<h1>page</h1>')
  })

  test('greets a page with the mode and all vehicles, then sends what changes', async () => {
    context.push([vehicleRecord(busReport('1', EPOCH)), vehicleRecord(busReport('2', EPOCH))])
    await clock.advance(1_000)
    const page = await openPage()
    expect(await page.next('hello')).toMatchObject({ feeds: 'replay', nowMs: EPOCH + 1_000 })
    const first = await page.next('vehicles')
    expect(first).toMatchObject({ full: true, gone: [] })
    expect(first.vehicles.map(({ vehicleId }) => vehicleId)).toEqual(['1', '2'])
    context.push([
      vehicleRecord(busReport('1', EPOCH + 1)),
      vehicleRecord(busReport('2', EPOCH, { event_type: 'VANISHED' })),
    ])
    const second = await page.next('vehicles')
    expect(second).toMatchObject({ full: false, gone: ['mta-bus-vp|2'] })
    expect(second.vehicles.map(({ vehicleId }) => vehicleId)).toEqual(['1'])
  })

  test('follows its topics with a backlog, and again after an error, which it logs', async () => {
    expect(context.followed).toEqual([{ topics: ['t', 'u'], backlog: 5_000 }])
    context.push(new Error('the broker went away'))
    await clock.advance(1_500)
    expect(context.followed).toHaveLength(2)
    expect(context.log.lines).toEqual([
      expect.objectContaining({ level: 'warn', fields: { reason: 'the broker went away' } }),
    ])
    context.push([vehicleRecord(busReport('1', EPOCH))])
    await clock.advance(1_000)
    const page = await openPage()
    expect((await page.next('vehicles')).vehicles).toHaveLength(1)
  })

  test('tells states when they change, once a second at most', async () => {
    const page = await openPage()
    expect(await page.next('connectors')).toEqual({ type: 'connectors', connectors: [] })
    context.setConnectors([{ ...STATUS, state: 'PAUSED' }])
    context.setConnectors([STATUS])
    expect(await page.next('connectors')).toMatchObject({ connectors: [{ state: 'RUNNING' }] })
    await clock.advance(5_000)
    await page.next('metrics')
    expect(page.messages.filter(({ type }) => type === 'connectors')).toEqual([])
  })

  test('sends figures from the metrics, and goes on when they cannot be read', async () => {
    const page = await openPage()
    context.metrics = figure(10)
    expect((await page.next('metrics')).connectors).toMatchObject([{ recordsTotal: 10 }])
    context.metrics = figure(30)
    expect((await page.next('metrics')).connectors).toMatchObject([{ recordsPerSecond: 10 }])
    context.metrics = new Error('no metrics')
    await clock.advance(4_000)
    expect(context.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { reason: 'no metrics' } }),
    )
    context.metrics = figure(50)
    expect((await page.next('metrics')).connectors).toMatchObject([{ recordsTotal: 50 }])
  })

  test('closes its pages and leaves nothing behind', async () => {
    const page = await openPage()
    await page.next('hello')
    const closed = new Promise((resolve) => pages[0]?.once('close', resolve))
    await extension.close()
    await closed
    expect(context.statusListeners).toBe(0)
    expect(clock.sleeping).toBe(0)
  })
})
