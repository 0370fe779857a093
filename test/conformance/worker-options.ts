// The recordings name a worker by its mode and the options that it was started with.
import { WORKER_CONFIG } from '../../connector/runtime/worker-config.ts'

export interface WorkerOptions {
  /** Distributed workers are compared as far as one worker of ours can answer as they do. */
  readonly mode: 'standalone' | 'distributed'
  /** False: recorded with something that a single worker on a healthy broker has not. */
  readonly canReplay: boolean
  readonly properties: Readonly<Record<string, string>>
  readonly hasBasicAuth: boolean
}

/** The recorded worker's users. */
export const CREDENTIALS = 'user=secret\n'

const PROVIDERS: Readonly<Record<string, string>> = {
  file: 'FileConfigProvider',
  env: 'EnvVarConfigProvider',
  dir: 'DirectoryConfigProvider',
}

/** Reads e.g. `standalone; access.control.allow.origin=http://ui.example, override.policy=None, admin.listeners=''`. */
export function workerOptions(worker: string): WorkerOptions {
  const [kind = '', rest = ''] = worker.replace(/ \(admin listener\)$/, '').split(/;\s*/, 2)
  const isStandalone = kind.trim() === 'standalone'
  const properties: Record<string, string> = {}
  for (const [, name = '', quoted, plain] of rest.matchAll(
    /([\w.]+\.[\w.]+)=(?:'([^']*)'|((?:[^,]|,(?! ))*))/g,
  )) {
    properties[fullName(name)] = (quoted ?? plain ?? '').trim()
  }
  const admin = properties['admin.listeners']
  if (admin !== undefined && admin !== '') properties['admin.listeners'] = 'http://127.0.0.1:0'
  for (const alias of (properties['config.providers'] ?? '').split(',')) {
    const provider = PROVIDERS[alias]
    if (provider === undefined) continue
    properties[`config.providers.${alias}.class`] =
      `org.apache.kafka.common.config.provider.${provider}`
  }
  return {
    mode: isStandalone ? 'standalone' : 'distributed',
    canReplay: isStandalone || worker.trim() === 'distributed',
    properties,
    hasBasicAuth: rest.includes('BasicAuthSecurityRestExtension'),
  }
}

/** The recordings shorten names: `allow.methods` is `access.control.allow.methods`. */
const fullName = (name: string): string =>
  Object.keys(WORKER_CONFIG.keys).find((key) => key === name || key.endsWith(`.${name}`)) ?? name
