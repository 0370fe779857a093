import { COMPATIBILITY_LEVELS, type CompatibilityLevel } from './compatibility-level.ts'
import { badRequest, noSubjectConfig, noSubjectMode, RegistryError } from './registry-error.ts'
import { DEFAULT_LEVEL, DEFAULT_MODE, type Registry } from './registry.ts'
import { contextName, flag, type RegistryRequest, scalar, subjectOf } from './request.ts'
import type { Routes } from './routes.ts'
import type { Config, Mode } from './store.ts'
import { checkSubject, joinSubject } from './subject-name.ts'

const MODES: readonly string[] = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT', 'FORWARD']

/** /config and /mode, for all subjects or for one. */
export function settingRoutes(registry: Registry): Routes {
  return {
    'GET /config': (request) => {
      const config = registry.store.config(scopeOf(request))
      return { json: configJson({ compatibility: DEFAULT_LEVEL, ...config }) }
    },
    'PUT /config': async (request) => {
      const config = configOf(request)
      await registry.setConfig(scopeOf(request), config)
      return { json: config }
    },
    'DELETE /config': async (request) => ({
      json: configJson(await registry.deleteConfig(scopeOf(request))),
    }),
    'GET /config/{subject}': (request) => {
      const subject = named(request)
      const own = registry.store.config(subject)
      if (flag(request.query, 'defaultToGlobal')) {
        return { json: configJson(registry.configInScope(subject)) }
      }
      if (own === undefined) throw noSubjectConfig(subject)
      return { json: configJson(own) }
    },
    'PUT /config/{subject}': async (request) => {
      const config = configOf(request)
      await registry.setConfig(named(request), config)
      return { json: config }
    },
    'DELETE /config/{subject}': async (request) => ({
      json: configJson(await registry.deleteConfig(named(request))),
    }),
    'GET /mode': (request) => ({
      json: { mode: registry.store.mode(scopeOf(request)) ?? DEFAULT_MODE },
    }),
    'PUT /mode': async (request) => {
      const mode = modeOf(request)
      await registry.setMode(scopeOf(request), mode, flag(request.query, 'force'))
      return { json: { mode } }
    },
    'DELETE /mode': async (request) => ({
      json: { mode: await registry.deleteMode(scopeOf(request)) },
    }),
    'GET /mode/{subject}': (request) => {
      const subject = named(request)
      const own = registry.store.mode(subject)
      if (flag(request.query, 'defaultToGlobal')) {
        return { json: { mode: registry.modeInScope(subject) } }
      }
      if (own === undefined) throw noSubjectMode(subject)
      return { json: { mode: own } }
    },
    'PUT /mode/{subject}': async (request) => {
      const mode = modeOf(request)
      await registry.setMode(named(request), mode, flag(request.query, 'force'))
      return { json: { mode } }
    },
    'DELETE /mode/{subject}': async (request) => ({
      json: { mode: await registry.deleteMode(named(request)) },
    }),
  }
}

const named = (request: RegistryRequest): string => checkSubject(subjectOf(request))

/** All subjects, or those of the context that the path names. */
function scopeOf({ params }: RegistryRequest): string | null {
  const { context } = params
  if (context === undefined) return null
  return joinSubject(contextName(context), '') || null
}

function configOf({ body }: RegistryRequest): Config {
  const level = scalar(body, 'compatibility')?.toUpperCase()
  const normalize = scalar(body, 'normalize')?.toLowerCase()
  if (level !== undefined && !COMPATIBILITY_LEVELS.includes(level as CompatibilityLevel)) {
    throw new RegistryError(
      42203,
      'Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive',
    )
  }
  if (normalize !== undefined && normalize !== 'true' && normalize !== 'false') {
    throw badRequest('"normalize" is neither true nor false.')
  }
  return {
    ...(level === undefined ? {} : { compatibility: level as CompatibilityLevel }),
    ...(normalize === undefined ? {} : { normalize: normalize === 'true' }),
  }
}

function configJson({ compatibility, ...rest }: Config): object {
  return compatibility === undefined ? rest : { ...rest, compatibilityLevel: compatibility }
}

function modeOf({ body }: RegistryRequest): Mode {
  const mode = scalar(body, 'mode')?.toUpperCase()
  if (mode !== undefined && MODES.includes(mode)) return mode as Mode
  throw new RegistryError(
    42204,
    'Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.',
  )
}
