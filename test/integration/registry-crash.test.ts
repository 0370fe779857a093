import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../support/needs.ts'

let folder: string
let child: ChildProcess | undefined
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'registry-crash-'))
})
afterAll(async () => {
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** The command as a process of its own. Resolves with its address. */
function start(port: number, dataDir = folder): Promise<string> {
  const args = ['--port', String(port), '--data-dir', dataDir]
  const started = fork(path.join(ROOT, 'connector/cli/registry.ts'), args, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  child = started
  return new Promise((resolve, reject) => {
    started.once('exit', (code) => reject(new Error(`ended with ${code}`)))
    started.on('message', (message: { ready?: { url: string }; failed?: string }) => {
      if (message.ready !== undefined) resolve(message.ready.url)
      else reject(new Error(message.failed))
    })
  })
}

function kill(): Promise<void> {
  return new Promise((resolve) => {
    child?.once('exit', () => resolve())
    child?.kill('SIGKILL')
  })
}

const register = async (url: string, n: number): Promise<number> => {
  const schema = JSON.stringify({ type: 'enum', name: `E${n}`, symbols: ['A'] })
  const response = await fetch(`${url}/subjects/s${n}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ schema }),
  })
  return ((await response.json()) as { id: number }).id
}

describe('the registry command', () => {
  test('after kill -9 in mid-stream every id that a client was told is there, with its schema', async () => {
    let url = await start(0)
    const told = new Map<number, number>()
    let n = 0
    for (let round = 0; round < 3; round++) {
      const target = told.size + 60
      const clients = Array.from({ length: 4 }, async () => {
        for (;;) {
          const mine = n++
          try {
            told.set(mine, await register(url, mine))
          } catch {
            return // The process is gone; what was not answered may be there or not.
          }
        }
      })
      await expect.poll(() => told.size, { timeout: 15_000 }).toBeGreaterThan(target)
      await kill()
      await Promise.all(clients)
      url = await start(Number(new URL(url).port))
    }
    const wrong: number[] = []
    for (const [each, id] of told) {
      const response = await fetch(`${url}/subjects/s${each}/versions/1`)
      const found = (await response.json()) as { id?: number }
      if (found.id !== id) wrong.push(each)
    }
    expect(wrong).toEqual([])
    expect(new Set(told.values()).size).toBe(told.size)
    expect(told.size).toBeGreaterThan(180)
  })

  test('a port or a folder in use is a clear message and code 1', async () => {
    const url = await start(0, path.join(folder, 'first'))
    const first = child
    const { port } = new URL(url)
    await expect(start(Number(port), path.join(folder, 'second'))).rejects.toThrow(/port is in use/)
    await expect(start(0, path.join(folder, 'first'))).rejects.toThrow(/in use by process \d+/)
    first?.kill('SIGKILL')
  })
})
