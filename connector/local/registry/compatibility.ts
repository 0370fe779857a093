// Whether data written with one Avro schema can be read with another: the rule of Apache Avro's Java
// `SchemaCompatibility`, with its messages and locations (JSON pointers into the reader's schema).
import {
  type AvroSchema,
  type EnumSchema,
  type FixedSchema,
  type NamedSchema,
  type RecordField,
  type RecordSchema,
  splitName,
} from './avro-schema.ts'

export type IncompatibilityType =
  | 'NAME_MISMATCH'
  | 'FIXED_SIZE_MISMATCH'
  | 'MISSING_ENUM_SYMBOLS'
  | 'READER_FIELD_MISSING_DEFAULT_VALUE'
  | 'TYPE_MISMATCH'
  | 'MISSING_UNION_BRANCH'

export interface Incompatibility {
  readonly type: IncompatibilityType
  readonly location: string
  readonly message: string
}

type Location = readonly string[]
type Result = readonly Incompatibility[]

const COMPATIBLE: Result = []

/** What keeps `reader` from reading what was written with `writer`; empty when nothing does. */
export const readerWriterIncompatibilities = (reader: AvroSchema, writer: AvroSchema): Result =>
  new Checker().check(reader, writer, [])

/** By reader type: the writer types that are widened to it. */
const PROMOTIONS: Readonly<Partial<Record<AvroSchema['type'], readonly AvroSchema['type'][]>>> = {
  LONG: ['INT'],
  FLOAT: ['INT', 'LONG'],
  DOUBLE: ['INT', 'LONG', 'FLOAT'],
  BYTES: ['STRING'],
  STRING: ['BYTES'],
}

class Checker {
  /** Results by reader and writer. A pair that is still being compared counts as compatible: it is a cycle. */
  readonly #known = new Map<AvroSchema, Map<AvroSchema, Result>>()

  check(reader: AvroSchema, writer: AvroSchema, location: Location): Result {
    const ofReader = this.#known.get(reader) ?? new Map<AvroSchema, Result>()
    this.#known.set(reader, ofReader)
    const known = ofReader.get(writer)
    if (known !== undefined) return known
    ofReader.set(writer, COMPATIBLE)
    const result = this.#compare(reader, writer, location)
    ofReader.set(writer, result)
    return result
  }

  #compare(reader: AvroSchema, writer: AvroSchema, location: Location): Result {
    if (reader.type === 'UNION') {
      return writer.type === 'UNION'
        ? this.#unions(reader, writer.branches, location)
        : this.#intoUnion(reader.branches, writer, location)
    }
    if (writer.type === 'UNION') {
      return writer.branches.flatMap((branch, i) =>
        this.check(reader, branch, [...location, String(i)]),
      )
    }
    if (reader.type === 'ARRAY' && writer.type === 'ARRAY') {
      return this.check(reader.items, writer.items, [...location, 'items'])
    }
    if (reader.type === 'MAP' && writer.type === 'MAP') {
      return this.check(reader.values, writer.values, [...location, 'values'])
    }
    if (reader.type === 'FIXED' && writer.type === 'FIXED') {
      return [...names(reader, writer, location), ...sizes(reader, writer, location)]
    }
    if (reader.type === 'ENUM' && writer.type === 'ENUM') {
      return [...names(reader, writer, location), ...symbols(reader, writer, location)]
    }
    if (reader.type === 'RECORD' && writer.type === 'RECORD') {
      return [...names(reader, writer, location), ...this.#fields(reader, writer, location)]
    }
    if (reader.type === writer.type) return COMPATIBLE
    if (PROMOTIONS[reader.type]?.includes(writer.type) === true) return COMPATIBLE
    return [
      found(
        'TYPE_MISMATCH',
        location,
        `reader type: ${reader.type} not compatible with writer type: ${writer.type}`,
      ),
    ]
  }

  #unions(reader: AvroSchema, branches: readonly AvroSchema[], location: Location): Result {
    return branches.flatMap((branch, i) =>
      this.check(reader, branch, []).length === 0
        ? []
        : [lacking(branch, [...location, String(i)])],
    )
  }

  #intoUnion(branches: readonly AvroSchema[], writer: AvroSchema, location: Location): Result {
    const readable = branches.some((branch) => this.check(branch, writer, []).length === 0)
    return readable ? COMPATIBLE : [lacking(writer, location)]
  }

  #fields(reader: RecordSchema, writer: RecordSchema, location: Location): Result {
    return reader.fields.flatMap((field, i) => {
      const at = [...location, 'fields', String(i)]
      const source = writerField(field, writer)
      if (source !== undefined) return this.check(field.schema, source.schema, [...at, 'type'])
      if (field.default !== undefined) return []
      // Java looks at the enum's own default here, and then compares the enum with the record.
      if (field.schema.type === 'ENUM' && field.schema.default !== undefined) {
        return this.check(field.schema, writer, [...at, 'type'])
      }
      return [found('READER_FIELD_MISSING_DEFAULT_VALUE', at, field.name)]
    })
  }
}

/** The field by its name or by one of the reader's aliases. */
function writerField(field: RecordField, writer: RecordSchema): RecordField | undefined {
  return (
    writer.fields.find(({ name }) => name === field.name) ??
    writer.fields.find(({ name }) => field.aliases.includes(name))
  )
}

function names(reader: NamedSchema, writer: NamedSchema, location: Location): Result {
  const same = splitName(reader.fullName).simple === splitName(writer.fullName).simple
  if (same || reader.aliases.includes(writer.fullName)) return COMPATIBLE
  return [found('NAME_MISMATCH', [...location, 'name'], `expected: ${writer.fullName}`)]
}

function sizes(reader: FixedSchema, writer: FixedSchema, location: Location): Result {
  if (reader.size === writer.size) return COMPATIBLE
  const message = `expected: ${writer.size}, found: ${reader.size}`
  return [found('FIXED_SIZE_MISMATCH', [...location, 'size'], message)]
}

function symbols(reader: EnumSchema, writer: EnumSchema, location: Location): Result {
  const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol)).sort()
  if (missing.length === 0 || reader.default !== undefined) return COMPATIBLE
  return [found('MISSING_ENUM_SYMBOLS', [...location, 'symbols'], `[${missing.join(', ')}]`)]
}

const lacking = (writer: AvroSchema, location: Location): Incompatibility =>
  found('MISSING_UNION_BRANCH', location, `reader union lacking writer type: ${writer.type}`)

const found = (
  type: IncompatibilityType,
  location: Location,
  message: string,
): Incompatibility => ({ type, location: `/${location.join('/')}`, message })
