import { once } from 'node:events'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium, mapIdle, openWatched, WITHIN } from '../support/browser.ts'
import { buildPage, type BuiltPage } from '../support/built-page.ts'
import { type FakeConnector, FakeWorker, taskStatus } from '../support/fake-worker.ts'
import { describeWith } from '../support/needs.ts'

const TRACE = `ConnectException: Exiting WorkerSinkTask.
\tat deliver (worker-sink-task.ts:212:11)
Caused by: ConnectError: Channel out_0 wants offset 412, has 409.
\tat append (channel.ts:133:13)`

const figure = (total: number): string =>
  `kafka_connect_sink_task_sink_record_send_total{connector="fine",task="0"} ${total}\n`

const connector = (
  name: string,
  status: Partial<FakeConnector['status']>,
  config: Record<string, string> = {},
): FakeConnector => ({
  status: {
    name,
    type: 'sink',
    state: 'RUNNING',
    workerId: '127.0.0.1:8083',
    trace: undefined,
    tasks: [taskStatus(0)],
    ...status,
  },
  config: { 'connector.class': 'com.example.SnowflakeSinkConnector', ...config },
  topics: ['mta.vehicle_position.v1'],
})

describeWith(['chromium'], 'the connectors in Chromium', () => {
  let app: BuiltPage
  let browser: Browser
  let worker: FakeWorker

  beforeAll(async () => {
    app = await buildPage()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    app.remove()
  })
  beforeEach(async () => {
    worker = await FakeWorker.start({ appDir: app.dir })
    const limping = taskStatus(1, { health: { state: 'DEGRADED', message: 'mta-l answers 503.' } })
    worker.setConnectors([
      connector('fine', { tasks: [taskStatus(0), taskStatus(1)] }),
      connector('limps', { type: 'source', tasks: [taskStatus(0), limping] }),
      connector('out', { tasks: [taskStatus(0, { state: 'FAILED', trace: TRACE })] }),
    ])
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    await worker.close()
  })

  const actions = (): readonly string[] =>
    worker.requests
      .filter(({ method }) => method !== 'GET')
      .map(({ method, url }) => `${method} ${url}`)

  test('shows states, classes, topics and figures, trouble first and in words', async () => {
    worker.context.metrics = figure(1_000)
    const { page, errors } = await openWatched(browser, `${worker.url}/ui/#connectors`)
    const row = (name: string) =>
      page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })
    await page.getByRole('link', { name: 'out', exact: true }).waitFor()
    const names = await page.locator('tbody th a').allTextContents()
    expect(names).toEqual(['out', 'limps', 'fine'])
    await expect
      .poll(() => row('fine').textContent(), WITHIN)
      .toMatch(/SnowflakeSinkConnector.*sink.*mta\.vehicle_position\.v1.*RUNNING.*2\/2/)
    expect(await row('limps').textContent()).toContain('DEGRADED')
    await page.getByText('mta-l answers 503.').waitFor()
    await page.getByText('ConnectError: Channel out_0 wants offset 412, has 409.').waitFor()
    await page.getByRole('link', { name: 'Connectors, 2 with problems' }).waitFor()
    worker.context.metrics = figure(1_500)
    await expect.poll(() => row('fine').textContent(), WITHIN).toMatch(/1,500/)
    expect(errors).toEqual([])
  })

  test('filters by its four counters', async () => {
    const { page } = await openWatched(browser, `${worker.url}/ui/#connectors`)
    await page.getByRole('button', { name: '1 failed tasks' }).click()
    expect(await page.locator('tbody th a').allTextContents()).toEqual(['out'])
    await page.getByRole('button', { name: '3 connectors' }).click()
    expect(await page.locator('tbody th a').count()).toBe(3)
    await page.getByRole('button', { name: '5 tasks' }).waitFor()
  })

  test('restarts what has failed by the REST API, and shows that at once', async () => {
    const { page } = await openWatched(browser, `${worker.url}/ui/#connectors`)
    const go = new AbortController()
    worker.held = once(go.signal, 'abort').then(() => undefined)
    await page.getByRole('button', { name: 'Restart failed out' }).click()
    await page.getByText('restarting…').waitFor()
    expect(await page.getByRole('button', { name: 'Restart failed out' }).isDisabled()).toBe(true)
    go.abort()
    await page.getByRole('button', { name: '0 failed connectors' }).waitFor()
    expect(await page.getByText('restarting…').count()).toBe(0)
    expect(actions()).toEqual(['POST /connectors/out/restart?includeTasks=true&onlyFailed=true'])
    await page.getByRole('button', { name: 'Pause fine' }).click()
    await page.getByRole('button', { name: 'Resume fine' }).waitFor()
    expect(actions().at(-1)).toBe('PUT /connectors/fine/pause')
  })

  test('tells what the worker refuses, in its words', async () => {
    const { page } = await openWatched(browser, `${worker.url}/ui/#connectors`)
    worker.refusal = { status: 409, message: 'Cannot complete request because of a rebalance' }
    await page.getByRole('button', { name: 'Pause fine' }).click()
    await page.getByRole('alert').getByText('because of a rebalance').waitFor()
    expect(await page.getByRole('button', { name: 'Pause fine' }).isEnabled()).toBe(true)
  })

  test('has a page for each connector: tasks, trace, configuration, and what has changed', async () => {
    const { page } = await openWatched(browser, `${worker.url}/ui/#connectors`)
    await page.getByRole('link', { name: 'out', exact: true }).click()
    await page.getByText('com.example.SnowflakeSinkConnector').waitFor()
    const stack = page.getByText('at append (channel.ts:133:13)')
    expect(await stack.isVisible()).toBe(false)
    await page.getByText('wants offset 412').first().click()
    await stack.waitFor()
    await page.getByRole('button', { name: 'Restart task 0' }).click()
    await page.getByRole('region', { name: 'Events' }).getByText('out task 0 RUNNING').waitFor()
    expect(actions()).toEqual(['POST /connectors/out/tasks/0/restart'])
  })

  test('deletes a connector only once its name was typed', async () => {
    const { page } = await openWatched(browser, `${worker.url}/ui/#connector=fine`)
    await page.getByRole('button', { name: 'Delete… fine' }).click()
    const dialog = page.getByRole('dialog')
    const remove = dialog.getByRole('button', { name: 'Delete' })
    expect(await remove.isDisabled()).toBe(true)
    await dialog.getByRole('textbox').fill('fin')
    expect(await remove.isDisabled()).toBe(true)
    await dialog.getByRole('textbox').fill('fine')
    await remove.click()
    await page.getByRole('button', { name: '2 connectors' }).waitFor()
    expect(actions()).toEqual(['DELETE /connectors/fine'])
  })

  test('is reached from the map and left for it, as often as one likes', {
    timeout: 60_000,
  }, async () => {
    const { page, errors } = await openWatched(browser, `${worker.url}/ui/`)
    const list = page.getByRole('link', { name: 'out', exact: true })
    // Longer than a map that is hidden or resized goes on to tell of it.
    const staysOn = async (hash: RegExp): Promise<void> => {
      await page.waitForTimeout(500)
      expect(new URL(page.url()).hash).toMatch(hash)
    }
    await mapIdle(page)
    for (const _ of ['from a new map', 'from a map that was left before']) {
      await page.getByRole('link', { name: /^Connectors/ }).click()
      await list.waitFor()
      await staysOn(/^#connectors$/)
      expect(await list.isVisible()).toBe(true)
      await page.getByRole('link', { name: 'Map', exact: true }).click()
      await page.getByText('© OpenStreetMap contributors · MTA').waitFor()
      await mapIdle(page)
      await staysOn(/^#map=/)
    }
    await page.evaluate("location.hash = '#connector=out'")
    await page.getByText('com.example.SnowflakeSinkConnector').waitFor()
    await staysOn(/^#connector=out$/)
    await page.goBack()
    await mapIdle(page)
    await page.evaluate("location.hash = '#connectors'")
    await staysOn(/^#connectors$/)
    await page.reload()
    await list.waitFor()
    await staysOn(/^#connectors$/)
    expect(errors).toEqual([])
  })

  test('hides nothing beside a narrow screen: name, state, reason and actions', async () => {
    const trouble =
      'mta-l failed 12 times in a row: HTTP_STATUS, https://feeds.example/nyct%2Fgtfs-l?a=b.'
    const limping = taskStatus(0, { health: { state: 'DEGRADED', message: trouble } })
    worker.setConnectors([
      connector('mta-source-of-all-vehicles', { type: 'source', tasks: [limping] }),
      connector('out', { tasks: [taskStatus(0, { state: 'FAILED', trace: TRACE })] }),
    ])
    const beside =
      "[...document.querySelectorAll('main *')].filter((one) => one.getClientRects().length > 0 &&" +
      ' one.getBoundingClientRect().right > innerWidth).map((one) => `${one.tagName} ${one.textContent.slice(0, 30)}`)'
    for (const [width, hash] of [
      [320, 'connectors'],
      [360, 'connectors'],
      [760, 'connectors'],
      [1024, 'connectors'],
      [1201, 'connectors'],
      [360, 'connector=out'],
      [360, 'connector=mta-source-of-all-vehicles'],
    ] as const) {
      const viewport = { width, height: 740 }
      const url = `${worker.url}/ui/#${hash}`
      const { page } = await openWatched(browser, url, { viewport })
      await page
        .getByRole('button', { name: /^Restart/ })
        .first()
        .waitFor()
      await page
        .getByText('com.example.SnowflakeSinkConnector')
        .or(page.getByText('mta.vehicle_position.v1'))
        .first()
        .waitFor()
      expect(await page.evaluate(beside), `${width} ${hash}`).toEqual([])
    }
  })

  test('can be read on a telephone, from the keyboard too', async () => {
    const { page } = await openWatched(browser, `${worker.url}/ui/#connectors`, {
      viewport: { width: 360, height: 640 },
    })
    await page.getByRole('link', { name: 'out', exact: true }).waitFor()
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect(width).toBeLessThanOrEqual(360)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toContain('3 connectors')
  })
})
