import { RegistryError, schemaNotFound } from './registry-error.ts'
import type { Registry } from './registry.ts'
import {
  contentOf,
  contextName,
  flag,
  page,
  type RegistryRequest,
  subjectOf,
  versionSpec,
} from './request.ts'
import type { Answer, Routes } from './routes.ts'
import type { StoredSchema, StoredVersion } from './store.ts'
import { schemaText } from './subject-routes.ts'
import { checkSubject, DEFAULT_CONTEXT, splitSubject } from './subject-name.ts'

/** /schemas/…, /compatibility and what tells of the registry itself. */
export function schemaRoutes(registry: Registry): Routes {
  const compatibility = (request: RegistryRequest): Answer => check(registry, request)
  return {
    'GET /': () => ({ json: {} }),
    'GET /contexts': (request) => ({ json: page(registry.store.contexts(), request.query) }),
    'GET /v1/metadata/id': () => ({
      json: {
        scope: {
          path: [],
          clusters: { 'kafka-cluster': 'local', 'schema-registry-cluster': 'schema-registry' },
        },
        id: '',
      },
    }),
    'GET /v1/metadata/version': () => ({ json: { version: '8.5.0-local', commitId: '' } }),
    'GET /schemas/types': () => ({ json: ['JSON', 'PROTOBUF', 'AVRO'] }),
    'GET /schemas/guids/{guid}': ({ params }) => {
      const stored = registry.store.byGuid(params['guid'] ?? '')
      if (stored === undefined) throw schemaNotFound()
      return { json: schemaJson(stored) }
    },
    'GET /schemas/ids/{id}': (request) => {
      const stored = byId(registry, request)
      const subject = request.query.get('subject')
      const use = subject === null ? undefined : uses(registry, request).at(-1)
      const where = use === undefined ? {} : { subject: use.subject, version: use.version }
      const maxId = registry.store.highestId(contextOf(request))
      const max = flag(request.query, 'fetchMaxId') ? { maxId } : {}
      return { json: { ...schemaJson(stored), ...where, ...max } }
    },
    'GET /schemas/ids/{id}/schema': (request) => schemaText({ stored: byId(registry, request) }),
    'GET /schemas/ids/{id}/subjects': (request) => {
      const subjects = uses(registry, request).map(({ subject }) => subject)
      return { json: page([...new Set(subjects)], request.query) }
    },
    'GET /schemas/ids/{id}/versions': (request) => {
      const versions = uses(registry, request)
      const pairs = versions.map(({ subject, version }) => ({ subject, version }))
      return { json: page(pairs, request.query) }
    },
    'POST /compatibility/subjects/{subject}/versions': compatibility,
    'POST /compatibility/subjects/{subject}/versions/{version}': compatibility,
  }
}

/** Ids are per context: that of the path, or of the subject that the query names. */
function contextOf({ params, query }: RegistryRequest): string {
  if (params['context'] !== undefined) return contextName(params['context'])
  const subject = query.get('subject')
  return subject === null ? DEFAULT_CONTEXT : splitSubject(subject).context
}

function byId(registry: Registry, request: RegistryRequest): StoredSchema {
  const id = Number(request.params['id'])
  const stored = registry.store.byId(contextOf(request), id)
  if (stored === undefined) throw schemaNotFound(id)
  return stored
}

function uses(registry: Registry, request: RegistryRequest): readonly StoredVersion[] {
  const context = contextOf(request)
  const id = Number(request.params['id'])
  if (registry.store.byId(context, id) === undefined) throw schemaNotFound()
  const subject = request.query.get('subject')
  return registry.store
    .uses(context, id)
    .filter(({ deleted }) => flag(request.query, 'deleted') || !deleted)
    .filter((each) => subject === null || each.subject === subject)
}

function schemaJson({ schemaType, schema, references, guid }: StoredSchema): object {
  return { schema, schemaType, guid, ...(references.length === 0 ? {} : { references }) }
}

function check(registry: Registry, request: RegistryRequest): Answer {
  const { params, query, body } = request
  const spec = params['version'] === undefined ? undefined : versionSpec(params['version'])
  const subject = checkSubject(subjectOf(request))
  const verbose = flag(query, 'verbose')
  const given = { content: contentOf(body), normalize: flag(query, 'normalize') }
  let messages: readonly string[]
  try {
    messages = registry.checkCompatibility(subject, spec, given)
  } catch (error) {
    // Who asks for messages is told in one why the schema is none.
    if (!verbose || !(error instanceof RegistryError) || error.errorCode !== 42201) throw error
    messages = [error.message]
  }
  const answer = { is_compatible: messages.length === 0 }
  return { json: verbose ? { ...answer, messages } : answer }
}
