// Plugins from outside: `plugin.path` names folders and npm packages; their modules export `plugins`.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Clock } from '../api/clock.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import { PLUGIN_KINDS, type PluginDefinition, type PluginKind } from '../api/plugin.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import { withLimit } from './limits.ts'
import { NO_VERSION, type PluginDescriptor } from './plugins.ts'

/** A module that may export `plugins`, and the version of the package that it belongs to. */
interface PluginModule {
  readonly file: string
  readonly version: string | undefined
}

export interface PluginPathOptions {
  /** Entries of `plugin.path`: folders, or names of npm packages that `folder` can resolve. */
  readonly entries: readonly string[]
  /** What relative entries and package names are resolved from. */
  readonly folder: string
  /** What is there already, and keeps its names. */
  readonly builtIn: readonly PluginDescriptor[]
  readonly clock: Clock
  readonly log: PluginLogger
  /** Imports a JavaScript or TypeScript file. */
  readonly load: (file: string) => Promise<Readonly<Record<string, unknown>>>
}

const EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts']
const LOAD_LIMIT_MS = 30_000
const MODULES_MAX = 1_000

/**
 * The plugins of `plugin.path`. What is missing, broken or named twice is logged with its reason and left out; the
 * first of a name wins, what comes with the worker before all.
 */
export async function findPlugins(
  options: PluginPathOptions,
): Promise<readonly PluginDescriptor[]> {
  const { log, entries, builtIn } = options
  const places = new Map(builtIn.map((plugin) => [keyOf(plugin), 'the worker itself']))
  const found: PluginDescriptor[] = []
  const modules = entries.flatMap((entry) => modulesOf(entry, options))
  for (const module of modules.slice(0, MODULES_MAX)) {
    for (const plugin of await pluginsOf(module, options)) {
      const other = places.get(keyOf(plugin))
      if (other !== undefined) {
        const fields = { plugin: plugin.className, kind: plugin.kind, file: module.file, other }
        log.warn(fields, 'A plugin has the name of another one, which stays; this one is left out.')
        continue
      }
      places.set(keyOf(plugin), module.file)
      found.push(plugin)
      const { className, kind, version } = plugin
      log.info({ plugin: className, kind, version, file: module.file }, 'Added a plugin.')
    }
  }
  if (modules.length > MODULES_MAX) {
    const fields = { modules: modules.length, limit: MODULES_MAX }
    log.error(fields, 'plugin.path holds too many modules; those beyond the limit are left out.')
  }
  return found
}

const keyOf = ({ kind, className }: { readonly kind: string; readonly className: string }) =>
  `${kind} ${className}`

function modulesOf(entry: string, options: PluginPathOptions): readonly PluginModule[] {
  try {
    return modulesOfEntry(entry, options.folder)
  } catch (error) {
    options.log.error(
      { entry, reason: toMessage(error) },
      'An entry of plugin.path could not be read; the plugins in it are missing.',
    )
    return []
  }
}

function modulesOfEntry(entry: string, base: string): readonly PluginModule[] {
  const place = path.resolve(base, entry)
  if (!existsSync(place)) return packageModules(folderOfPackage(entry, base))
  if (!statSync(place).isDirectory()) return [{ file: place, version: undefined }]
  if (existsSync(path.join(place, 'package.json'))) return packageModules(place)
  return readdirSync(place, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((child): readonly PluginModule[] => {
      const file = path.join(place, child.name)
      if (child.name.startsWith('.') || child.name === 'node_modules') return []
      if (statSync(file).isDirectory()) return packageModules(file)
      return isModule(child.name) ? [{ file, version: undefined }] : []
    })
}

const isModule = (name: string): boolean =>
  EXTENSIONS.includes(path.extname(name)) && !/\.(d|test|config)\.\w+$/.test(name)

/** Looks into the `node_modules` folders from `base` upwards, as Node.js does. */
function folderOfPackage(name: string, base: string): string {
  if (!/^(@[\w.-]+\/)?[\w.-]+$/.test(name)) {
    throw new ConfigError(`${name} is neither a folder that exists nor the name of a package.`)
  }
  const places = createRequire(path.join(base, 'any.js')).resolve.paths(name) ?? []
  const folder = places
    .map((place) => path.join(place, name))
    .find((place) => existsSync(path.join(place, 'package.json')))
  if (folder !== undefined) return folder
  throw new ConfigError(`${name} is neither a folder that exists nor an installed package.`)
}

interface Manifest {
  readonly version?: unknown
  readonly main?: unknown
  readonly exports?: unknown
  readonly 'mta-connect'?: { readonly plugins?: unknown }
}

/** The modules that a package's manifest names, else its main one. A folder without either has `index.*` or none. */
function packageModules(folder: string): readonly PluginModule[] {
  const manifestFile = path.join(folder, 'package.json')
  const manifest = existsSync(manifestFile)
    ? (JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest)
    : {}
  const version = typeof manifest.version === 'string' ? manifest.version : undefined
  const named = manifest['mta-connect']?.plugins ?? mainOf(manifest)
  const files = (Array.isArray(named) ? named : [named]).flatMap((name: unknown) => {
    if (typeof name === 'string') return [path.resolve(folder, name)]
    const index = EXTENSIONS.map((extension) => path.join(folder, `index${extension}`))
    return index.filter((file) => existsSync(file)).slice(0, 1)
  })
  return files.map((file) => ({ file, version }))
}

function mainOf({ exports, main }: Manifest): unknown {
  if (typeof exports === 'string') return exports
  const root = (exports as Readonly<Record<string, unknown>> | undefined)?.['.']
  if (typeof root === 'string') return root
  const conditions = (root ?? {}) as Readonly<Record<string, unknown>>
  return conditions['import'] ?? conditions['default'] ?? main
}

async function pluginsOf(
  { file, version }: PluginModule,
  { clock, log, load }: PluginPathOptions,
): Promise<readonly PluginDescriptor[]> {
  try {
    const limit = { clock, limitMs: LOAD_LIMIT_MS }
    const module = await withLimit(`loading ${file}`, load(file), limit)
    const exported = module['plugins'] ?? (module['default'] as { plugins?: unknown })?.plugins
    if (!Array.isArray(exported)) {
      throw new ConfigError('The module exports no array called plugins.')
    }
    return exported.map((definition: unknown) => descriptorOf(definition, version))
  } catch (error) {
    log.error(
      { file, reason: toMessage(error), err: error },
      'A plugin module could not be loaded; its plugins are missing.',
    )
    return []
  }
}

function descriptorOf(exported: unknown, version: string | undefined): PluginDescriptor {
  const definition = exported as Partial<PluginDefinition> | null | undefined
  const { kind, className, create } = definition ?? {}
  if (typeof className !== 'string' || !/^[\w$.-]+$/.test(className)) {
    throw new ConfigError(`Expected a plugin with a className, got ${String(className)}.`)
  }
  if (!PLUGIN_KINDS.includes(kind as PluginKind)) {
    throw new ConfigError(
      `Expected ${className} to have a kind out of ${PLUGIN_KINDS.join(', ')}, got ${String(kind)}.`,
    )
  }
  if (typeof create !== 'function') {
    throw new ConfigError(`Expected ${className} to have a function create, got ${typeof create}.`)
  }
  return {
    kind,
    className,
    ...(definition?.aliases !== undefined && { aliases: definition.aliases }),
    version: definition?.version ?? version ?? NO_VERSION,
    create: async (environment) => create(environment),
  } as PluginDescriptor
}
