import { subjectNotFound } from './registry-error.ts'
import type { Registry } from './registry.ts'
import {
  contentOf,
  contextName,
  flag,
  page,
  registrationOf,
  type RegistryRequest,
  subjectOf,
  versionSpec,
} from './request.ts'
import type { Answer, Routes } from './routes.ts'
import type { StoredVersion } from './store.ts'
import { checkSubject, DEFAULT_CONTEXT, splitSubject } from './subject-name.ts'

const WILDCARD = ':*:'

/** /subjects and /schemas?… */
export function subjectRoutes(registry: Registry): Routes {
  return {
    'GET /subjects': (request) => ({ json: page(listSubjects(registry, request), request.query) }),
    'POST /subjects/{subject}': (request) => {
      const deleted = flag(request.query, 'deleted')
      const normalize = flag(request.query, 'normalize')
      const content = contentOf(request.body)
      const found = registry.lookup(named(request), content, { deleted, normalize })
      return { json: versionJson(found) }
    },
    'DELETE /subjects/{subject}': async (request) => ({
      json: await registry.deleteSubject(named(request), flag(request.query, 'permanent')),
    }),
    'GET /subjects/{subject}/versions': (request) => {
      const versions = registry
        .versions(named(request), wantsDeleted(request))
        .filter(({ deleted }) => deleted || !onlyDeleted(request))
      if (versions.length === 0) throw subjectNotFound(named(request))
      return {
        json: page(
          versions.map(({ version }) => version),
          request.query,
        ),
      }
    },
    'POST /subjects/{subject}/versions': async (request) => {
      const registration = registrationOf(request.body)
      const normalize = flag(request.query, 'normalize')
      const done = await registry.register(named(request), { ...registration, normalize })
      const { id, version, guid, schemaType, references, schema } = versionJson(done)
      const refs = references === undefined ? {} : { references }
      return { json: { id, version, guid, schemaType, ...refs, schema } }
    },
    'GET /subjects/{subject}/versions/{version}': (request) => ({
      json: versionJson(versionOf(registry, request)),
    }),
    'GET /subjects/{subject}/versions/{version}/schema': (request) =>
      schemaText(versionOf(registry, request)),
    'GET /subjects/{subject}/versions/{version}/referencedby': (request) => {
      const { version } = versionOf(registry, request)
      const ids = registry.store.referrers(named(request), version).map(({ stored }) => stored.id)
      return {
        json: page(
          [...new Set(ids)].sort((a, b) => a - b),
          request.query,
        ),
      }
    },
    'DELETE /subjects/{subject}/versions/{version}': async (request) => {
      const spec = versionSpec(request.params['version'] ?? '')
      const permanent = flag(request.query, 'permanent')
      return { json: await registry.deleteVersion(named(request), spec, permanent) }
    },
    'GET /schemas': (request) => ({ json: page(listSchemas(registry, request), request.query) }),
  }
}

const named = (request: RegistryRequest): string => checkSubject(subjectOf(request))
const onlyDeleted = ({ query }: RegistryRequest): boolean =>
  flag(query, 'deletedOnly') || flag(query, 'deleted_only')
const wantsDeleted = (request: RegistryRequest): boolean =>
  flag(request.query, 'deleted') || onlyDeleted(request)

function versionOf(registry: Registry, request: RegistryRequest): StoredVersion {
  const spec = versionSpec(request.params['version'] ?? '')
  return registry.version(named(request), spec, flag(request.query, 'deleted'))
}

function listSubjects(registry: Registry, request: RegistryRequest): readonly string[] {
  return matchingSubjects(registry, request).filter((subject) => {
    const versions = registry.store.versions(subject)
    const live = versions.some(({ deleted }) => !deleted)
    return onlyDeleted(request) ? !live : live || flag(request.query, 'deleted')
  })
}

function listSchemas(registry: Registry, request: RegistryRequest): readonly unknown[] {
  const latestOnly = flag(request.query, 'latestOnly')
  return matchingSubjects(registry, request).flatMap((subject) => {
    const visible = registry.store
      .versions(subject)
      .filter(({ deleted }) => flag(request.query, 'deleted') || !deleted)
    return (latestOnly ? visible.slice(-1) : visible).map(versionJson)
  })
}

function matchingSubjects(registry: Registry, request: RegistryRequest): readonly string[] {
  const prefix = request.query.get('subjectPrefix') ?? WILDCARD
  const { context } = request.params
  const within = context === undefined ? undefined : contextName(context)
  const anywhere = prefix.startsWith(WILDCARD)
  const wanted = splitSubject(anywhere ? prefix.slice(WILDCARD.length) : prefix)
  return registry.store.subjects().filter((subject) => {
    const { context: own, name } = splitSubject(subject)
    if (within !== undefined && own !== within) return false
    const inContext = anywhere || own === (within ?? wanted.context ?? DEFAULT_CONTEXT)
    return inContext && name.startsWith(wanted.name)
  })
}

/** A version as the API shows it. */
export function versionJson({ subject, version, stored, deleted, ts }: StoredVersion) {
  const { id, guid, schemaType, references, schema } = stored
  return {
    subject,
    version,
    id,
    guid,
    schemaType,
    ...(references.length === 0 ? {} : { references }),
    schema,
    ts,
    deleted,
  }
}

/** The schema alone: JSON as such, Protobuf as a JSON text. */
export const schemaText = ({ stored }: Pick<StoredVersion, 'stored'>): Answer =>
  stored.schemaType === 'PROTOBUF' ? { json: stored.schema } : { text: stored.schema }
