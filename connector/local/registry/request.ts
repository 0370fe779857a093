import type { IncomingMessage } from 'node:http'
import { badRequest, invalidSchema, invalidVersion, RegistryError } from './registry-error.ts'
import type { Registration, VersionSpec } from './registry.ts'
import type { Reference, SchemaContent, SchemaType } from './store.ts'
import { joinSubject } from './subject-name.ts'

const BODY_BYTES_MAX = 8 * 1024 * 1024
const VERSION_MAX = 2 ** 31 - 1
const SCHEMA_TYPES: readonly string[] = ['AVRO', 'JSON', 'PROTOBUF']

type Json = Readonly<Record<string, unknown>>

/** One request, taken apart. */
export interface RegistryRequest {
  /** Decoded parts of the path, by their names in the route. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** An empty object when there was none. */
  readonly body: Json
}

/** The body as a JSON object. Throws a `RegistryError` for any other, or one that is too long. */
export async function readBody(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_BYTES_MAX) {
      throw new RegistryError(413, `A request may have ${BODY_BYTES_MAX} bytes.`)
    }
    chunks.push(chunk)
  }
  if (size === 0) return {}
  let body: unknown
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new RegistryError(400, `The body is not JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Json
  throw badRequest('The body is not a JSON object.')
}

/** A query parameter that is true in any case of letters; also one without a value. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)?.toLowerCase()
  return value === 'true' || value === ''
}

/** The part of a list that `offset` and `limit` name; -1 is no limit. */
export function page<T>(items: readonly T[], query: URLSearchParams): readonly T[] {
  const offset = Math.max(0, wholeNumber(query.get('offset'), 'offset') ?? 0)
  const limit = wholeNumber(query.get('limit'), 'limit') ?? -1
  return items.slice(offset, limit < 0 ? undefined : offset + limit)
}

function wholeNumber(text: string | null, name: string): number | undefined {
  if (text === null || text === '') return undefined
  // An unreadable number in the query is no such page to Confluent's registry either.
  if (!/^-?\d{1,10}$/.test(text)) throw new RegistryError(404, `No legal ${name}: ${text}`)
  return Number(text)
}

/** `latest`, -1 (the same) or a number. Throws 42202. */
export function versionSpec(text: string): VersionSpec {
  if (text === 'latest' || text === '-1') return 'latest'
  const version = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (version < 1 || version > VERSION_MAX) throw invalidVersion(text)
  return version
}

/** The subject that a path names, with the context that may stand before it. */
export function subjectOf({ params }: RegistryRequest): string {
  const { subject = '', context } = params
  if (context === undefined || subject.startsWith(':')) return subject
  return joinSubject(contextName(context), subject)
}

/** Contexts begin with a point; a path may leave it out. */
export const contextName = (text: string): string => (text.startsWith('.') ? text : `.${text}`)

/** The schema in a body. Scalars are read as text, as the JVM's JSON reader does. */
export function contentOf(body: Json): SchemaContent {
  const schemaType = scalar(body, 'schemaType') ?? 'AVRO'
  if (!SCHEMA_TYPES.includes(schemaType)) {
    throw invalidSchema(`Invalid schema type ${schemaType}`)
  }
  return {
    schemaType: schemaType as SchemaType,
    schema: scalar(body, 'schema') ?? '',
    references: referencesOf(body['references']),
  }
}

/** A registration without `normalize`, which is in the query. */
export function registrationOf(body: Json): Omit<Registration, 'normalize'> {
  const positive = (name: string): number | undefined => {
    const value = integer(body, name)
    return value === undefined || value < 1 ? undefined : value
  }
  return { content: contentOf(body), id: positive('id'), version: positive('version') }
}

function referencesOf(value: unknown): readonly Reference[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw badRequest('"references" is not a list.')
  return value.map((each: unknown) => {
    const reference = (typeof each === 'object' && each !== null ? each : {}) as Json
    const name = scalar(reference, 'name')
    const subject = scalar(reference, 'subject')
    const version = integer(reference, 'version')
    if (name === undefined || subject === undefined || version === undefined) {
      throw badRequest('A reference needs a name, a subject and a version.')
    }
    return { name, subject, version }
  })
}

/** The text of a member; undefined where it is missing or null. */
export function scalar(body: Json, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw badRequest(`"${name}" is not text.`)
}

function integer(body: Json, name: string): number | undefined {
  const text = scalar(body, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (!/^-?\d{1,10}$/.test(text) || Math.abs(value) > VERSION_MAX) {
    throw badRequest(`"${name}" is not a whole number of 32 bits.`)
  }
  return value
}
