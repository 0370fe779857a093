import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../support/needs.ts'

describe('A plugin that does what no worker can prevent', () => {
  let child: ChildProcess
  let url = ''
  let output = ''

  beforeAll(async () => {
    child = fork(path.join(ROOT, 'test/support/blocking-worker.ts'), [], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    child.stdout?.on('data', (chunk) => (output += String(chunk)))
    url = await new Promise((resolve, reject) => {
      child.once('message', (message: { readonly url: string }) => resolve(message.url))
      child.once('exit', (code) => reject(new Error(`The worker ended with ${code}.`)))
    })
  }, 30_000)
  afterAll(async () => {
    const gone = new Promise((resolve) => {
      child.once('exit', resolve)
    })
    if (child.exitCode === null) child.disconnect()
    await gone
  })

  const says = async (text: string): Promise<void> => {
    for (let attempt = 0; !output.includes(text); attempt++) {
      if (attempt > 400) throw new Error(`The worker did not say: ${text}\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
  const health = async (): Promise<{ readonly status: number; readonly message: string }> => {
    const response = await fetch(`${url}/health`)
    const { message } = (await response.json()) as { readonly message: string }
    return { status: response.status, message }
  }

  test('throwing in a timer is logged, and the worker goes on', async () => {
    child.send('throw')
    await says('thrown in a timer')
    expect((await health()).status).toBe(200)
  })

  test('blocking everything is named by another thread while it does, and by /health afterwards', async () => {
    child.send('block')
    await says('The event loop stands still: put of task snk-0 does not let anything else run')
    expect(output).not.toContain('stood still')
    const { status, message } = await health()
    expect(status).toBe(500)
    expect(message).toMatch(
      /^The event loop stood still for 2\d{3} ms until 0 s ago: put of task snk-0/,
    )
    expect(child.exitCode).toBeNull()
  })
})
