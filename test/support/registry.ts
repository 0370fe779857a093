import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { PluginLogger } from '../../connector/api/plugin-metrics.ts'
import { type LocalRegistry, startLocalRegistry } from '../../connector/local/registry/server.ts'
import { FakeClock } from './fake-clock.ts'

/** Keeps every line, for tests that ask for them. */
export class RecordingLogger implements PluginLogger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] =
    []
  trace = this.#line('trace')
  debug = this.#line('debug')
  info = this.#line('info')
  warn = this.#line('warn')
  error = this.#line('error')
  #line(level: string) {
    return (fields: object, message: string): void => {
      this.lines.push({ level, fields, message })
    }
  }
}

export interface TestRegistry extends LocalRegistry {
  readonly log: RecordingLogger
  readonly dataDir: string
  call(method: string, target: string, body?: unknown): Promise<Called>
  /** Ends it and starts another one over the same folder, on the same port. */
  restart(): Promise<TestRegistry>
  /** Ends it and removes its folder. */
  remove(): Promise<void>
}
export interface Called {
  readonly status: number
  readonly type: string | null
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of many shapes
  readonly body: any
}

/** A local registry over a temporary folder. */
export async function startTestRegistry(
  given: { readonly dataDir?: string; readonly port?: number } = {},
): Promise<TestRegistry> {
  const dataDir = given.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'registry-')))
  const log = new RecordingLogger()
  const clock = new FakeClock()
  const registry = await startLocalRegistry({ port: given.port ?? 0, dataDir, clock, log })
  return {
    ...registry,
    log,
    dataDir,
    call: (method, target, body) => call(registry.url, { method, target, body }),
    async restart() {
      await registry.close()
      return startTestRegistry({ dataDir, port: Number(new URL(registry.url).port) })
    },
    async remove() {
      await registry.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function call(
  url: string,
  { method, target, body }: { method: string; target: string; body: unknown },
): Promise<Called> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${url}${target}`, {
    method,
    ...(body === undefined ? {} : { body: text }),
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
  })
  const type = response.headers.get('content-type')
  const answer = await response.text()
  return { status: response.status, type, body: answer === '' ? undefined : JSON.parse(answer) }
}
