import { parseSchema } from './avro-parser.ts'
import { printSchema } from './avro-printer.ts'
import { type AvroSchema, type NamedSchemas, SchemaParseError } from './avro-schema.ts'
import { parseJson, printJson } from './json.ts'
import { invalidSchema } from './registry-error.ts'
import type { Reference, RegistryStore, SchemaContent } from './store.ts'
import { joinSubject, splitSubject } from './subject-name.ts'

/** Of one schema, direct and indirect. */
const REFERENCES_MAX = 200

export interface ParseContext {
  readonly store: RegistryStore
  /** References that name no context are to this one. */
  readonly context: string
}

/**
 * Reads a schema that a client sent, and gives it the form in which it is kept and compared. Only Avro is
 * understood; JSON Schema is kept as compact JSON, Protobuf as it is.
 *
 * @throws RegistryError 42201
 */
export function readContent(
  content: SchemaContent,
  parsing: ParseContext,
  normalize: boolean,
): { readonly content: SchemaContent; readonly avro: AvroSchema | undefined } {
  const { schema, schemaType, references } = content
  if (schema.trim() === '') throw invalidSchema('Empty schema')
  try {
    const names = referencedNames(references, parsing)
    if (schemaType === 'PROTOBUF') return { content, avro: undefined }
    if (schemaType === 'JSON') {
      return { content: { ...content, schema: printJson(parseJson(schema)) }, avro: undefined }
    }
    const known = [...names.keys()]
    const avro = parseSchema(schema, { names })
    return { content: { ...content, schema: printSchema(avro, { normalize, known }) }, avro }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const refs = references.map(
      (r) => `{name=${r.name}, subject=${r.subject}, version=${r.version}}`,
    )
    throw invalidSchema(
      `Invalid schema ${schema} with refs [${refs.join(', ')}] of type ${schemaType}, details: ${error.message}`,
      error,
    )
  }
}

/** A kept Avro schema. Its defaults are not checked again. */
export function parseStored(content: SchemaContent, parsing: ParseContext): AvroSchema {
  const names = referencedNames(content.references, parsing)
  return parseSchema(content.schema, { names, validateDefaults: false })
}

function referencedNames(references: readonly Reference[], parsing: ParseContext): NamedSchemas {
  const names: NamedSchemas = new Map()
  const seen = new Set<string>()
  const visit = (list: readonly Reference[]): void => {
    for (const { subject, version } of list) {
      const key = JSON.stringify([subject, version])
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > REFERENCES_MAX) {
        throw new SchemaParseError(`more than ${REFERENCES_MAX} references`)
      }
      const split = splitSubject(subject)
      const qualified = subject.startsWith(':') ? subject : joinSubject(parsing.context, split.name)
      const found = parsing.store.version(qualified, version)
      if (found === undefined) {
        throw new SchemaParseError(
          `No schema reference found for subject "${subject}" and version ${version}`,
        )
      }
      visit(found.stored.references)
      if (found.stored.schemaType === 'AVRO') {
        parseSchema(found.stored.schema, { names, validateDefaults: false })
      }
    }
  }
  visit(references)
  return names
}
