import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { ConfigData, ConfigProvider } from '../api/config-provider.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { parseProperties } from './properties.ts'

/** Environment variables: `${env:NAME}`, or `${env:NAME:-text}` for a default. `allowlist.pattern` bounds what may be read. */
export class EnvVarConfigProvider implements ConfigProvider {
  readonly #environment: Readonly<Record<string, string | undefined>>
  #allowed: RegExp | undefined

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment
  }

  configure(config: Props): void {
    const pattern = config['allowlist.pattern']
    if (pattern === undefined) return
    try {
      this.#allowed = new RegExp(`^(?:${pattern})$`)
    } catch (error) {
      throw new ConfigError(
        `Invalid value ${pattern} for configuration allowlist.pattern: ${toMessage(error)}`,
        { cause: error },
      )
    }
  }

  /** `path` is the variable when a default follows (`NAME:-text`), else '' and the key is the variable. */
  get(name: string, keys: readonly string[]): ConfigData {
    const data: Record<string, string> = {}
    for (const key of keys) {
      const variable = name === '' ? key : name
      const value = this.#mayRead(variable) ? this.#environment[variable] : undefined
      if (value !== undefined && (value !== '' || name === '')) data[key] = value
      else if (name !== '' && key.startsWith('-')) data[key] = key.slice(1)
    }
    return { data }
  }

  #mayRead(variable: string): boolean {
    return this.#allowed?.test(variable) ?? true
  }
}

/** Keys of a properties file: `${file:/path/to/file:key}`. `allowed.paths` bounds where it may look. */
export class FileConfigProvider implements ConfigProvider {
  #allowed: readonly string[] | undefined

  configure(config: Props): void {
    this.#allowed = allowedPaths(config)
  }

  async get(file: string, keys: readonly string[]): Promise<ConfigData> {
    checkAllowed(file, this.#allowed)
    const properties = parseProperties(await readText(file))
    return { data: pick(properties, keys) }
  }
}

/** Files of a folder: `${dir:/path/to/folder:file}`, as Kubernetes mounts secrets. `allowed.paths` bounds where it may look. */
export class DirectoryConfigProvider implements ConfigProvider {
  #allowed: readonly string[] | undefined

  configure(config: Props): void {
    this.#allowed = allowedPaths(config)
  }

  async get(folder: string, keys: readonly string[]): Promise<ConfigData> {
    checkAllowed(folder, this.#allowed)
    const data: Record<string, string> = {}
    for (const key of keys) {
      if (key !== path.basename(key)) {
        throw new ConfigError(`Expected a file name in \${dir:…}, got ${key}`)
      }
      data[key] = await readText(path.join(folder, key))
    }
    return { data }
  }
}

const allowedPaths = (config: Props): readonly string[] | undefined =>
  config['allowed.paths']?.split(',').map((folder) => path.resolve(folder.trim()))

function checkAllowed(file: string, allowed: readonly string[] | undefined): void {
  if (allowed === undefined) return
  const resolved = path.resolve(file)
  const isInside = allowed.some(
    (folder) => resolved === folder || resolved.startsWith(folder + path.sep),
  )
  if (!isInside) throw new ConfigError(`${file} is not within allowed.paths.`)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`Could not read ${file}`, { cause: error })
  }
}

const pick = (from: Props, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const value = from[key]
      return value === undefined ? [] : [[key, value]]
    }),
  )
