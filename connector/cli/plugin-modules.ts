// How modules from outside are loaded: `mta-connect/api` is the worker's own copy, and TypeScript needs no build.
import { register } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigError } from '../api/errors.ts'

type Load = (file: string) => Promise<Readonly<Record<string, unknown>>>

const isTypeScript = (file: string): boolean => /\.m?ts$/.test(file)

/** Whether this process reads TypeScript by itself: Node.js 22.18 and later do, and so does a process under tsx. */
const readsTypeScript = (): boolean =>
  'typescript' in process.features
    ? process.features.typescript !== false
    : isTypeScript(import.meta.url)

/**
 * A loader of plugin modules for this process. TypeScript is read by Node.js where it can, else by `tsx` where that is
 * installed; else a TypeScript file is refused with a `ConfigError` that says so.
 */
export function pluginLoader(): Load {
  let isReady: Promise<void> | undefined
  let hasTypeScript: Promise<boolean> | undefined
  return async (file) => {
    if (isTypeScript(file)) {
      hasTypeScript ??= enableTypeScript()
      if (!(await hasTypeScript)) {
        throw new ConfigError(
          `${file} is TypeScript, which Node.js ${process.version} does not read: use Node.js 22.18 or later, install tsx beside the worker, or build the plugin.`,
        )
      }
    }
    isReady ??= Promise.resolve(offerApi())
    await isReady
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
  }
}

async function enableTypeScript(): Promise<boolean> {
  if (readsTypeScript()) return true
  try {
    const tsx = await import('tsx/esm/api')
    tsx.register()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return false
    throw error
  }
}

/** Answers every import of `mta-connect/api` with the worker's own module: else `instanceof` would fail between two copies. */
function offerApi(): void {
  const own = fileURLToPath(import.meta.url)
  const api = path.resolve(path.dirname(own), `../api/public${path.extname(own)}`)
  // TypeScript is taken as an ES module also where no package.json says so: tsx would make a CommonJS module of it.
  const source = `
    const API = ${JSON.stringify(pathToFileURL(api).href)}
    const isTypeScript = (url) => /\\.m?ts(\\?|$)/.test(url)
    export async function resolve(specifier, context, next) {
      if (specifier === 'mta-connect/api') return next(API, context)
      const resolved = await next(specifier, context)
      return resolved.format === 'commonjs' && isTypeScript(resolved.url)
        ? { ...resolved, format: 'module' }
        : resolved
    }
  `
  register(`data:text/javascript,${encodeURIComponent(source)}`)
}
