// Avro's schema resolution: whether data that was written with one schema can be read with another.
import type { AvroNode, NamedNode, PrimitiveKind, RecordNode } from './avro-node.ts'

/** What a reader of the kind also takes (Avro 1.11, "Schema Resolution"). */
const PROMOTED: Readonly<Partial<Record<AvroNode['kind'], readonly PrimitiveKind[]>>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes'],
}

/** Why data of `writer` cannot be read with `reader`, with the field it is about; undefined when it can. */
export const unreadable = (reader: AvroNode, writer: AvroNode): string | undefined =>
  new Resolution().compare(reader, writer, '')

class Resolution {
  /** Pairs under way or done: a recursive schema meets itself again. */
  readonly #seen: Map<AvroNode, Set<AvroNode>>

  constructor(seen: ReadonlyMap<AvroNode, ReadonlySet<AvroNode>> = new Map()) {
    this.#seen = new Map([...seen].map(([reader, writers]) => [reader, new Set(writers)]))
  }

  compare(reader: AvroNode, writer: AvroNode, path: string): string | undefined {
    const seen = this.#seen.get(reader) ?? new Set()
    if (seen.has(writer)) return undefined
    this.#seen.set(reader, seen.add(writer))
    if (writer.kind === 'union') {
      return first(writer.branches, (branch) => this.compare(reader, branch, path))
    }
    if (reader.kind === 'union') {
      const fits = reader.branches.some((branch) => this.#fits(branch, writer, path))
      return fits ? undefined : `${at(path)}: no branch of the union takes ${writer.kind}`
    }
    if (reader.kind !== writer.kind) {
      const isPromoted = PROMOTED[reader.kind]?.includes(writer.kind as PrimitiveKind) === true
      return isPromoted ? undefined : `${at(path)}: expected ${reader.kind}, got ${writer.kind}`
    }
    return this.#sameKind(reader, writer, path)
  }

  /** As `compare`; a branch that does not fit leaves no trace. */
  #fits(reader: AvroNode, writer: AvroNode, path: string): boolean {
    return new Resolution(this.#seen).compare(reader, writer, path) === undefined
  }

  #sameKind(reader: AvroNode, writer: AvroNode, path: string): string | undefined {
    if (reader.kind === 'array' && writer.kind === 'array') {
      return this.compare(reader.items, writer.items, `${path}[]`)
    }
    if (reader.kind === 'map' && writer.kind === 'map') {
      return this.compare(reader.values, writer.values, `${path}{}`)
    }
    if (!('fullName' in reader) || !('fullName' in writer)) return undefined
    if (!isNamed(reader, writer)) {
      return `${at(path)}: expected ${reader.fullName}, got ${writer.fullName}`
    }
    if (reader.kind === 'fixed' && writer.kind === 'fixed' && reader.size !== writer.size) {
      return `${at(path)}: expected ${reader.size} bytes, got ${writer.size}`
    }
    if (reader.kind === 'enum' && writer.kind === 'enum' && !('default' in reader.attributes)) {
      const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
      return missing.length === 0 ? undefined : `${at(path)}: no symbol ${missing.join(', ')}`
    }
    if (reader.kind !== 'record' || writer.kind !== 'record') return undefined
    return this.#record(reader, writer, path)
  }

  #record(reader: RecordNode, writer: RecordNode, path: string): string | undefined {
    return first(reader.fields, (field) => {
      const names = [field.name, ...aliasesOf(field.attributes)]
      const written = writer.fields.find(({ name }) => names.includes(name))
      const inner = path === '' ? field.name : `${path}.${field.name}`
      if (written !== undefined) return this.compare(field.type, written.type, inner)
      return field.default === undefined ? `${at(inner)}: is missing and has no default` : undefined
    })
  }
}

const at = (path: string): string => (path === '' ? 'the schema' : `field ${path}`)

const aliasesOf = (attributes: Readonly<Record<string, unknown>>): readonly string[] => {
  const aliases = attributes['aliases']
  return Array.isArray(aliases) ? aliases.map(String) : []
}

const simple = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

/** As in Avro Java: without the namespace, or by an alias. */
const isNamed = (reader: NamedNode, writer: NamedNode): boolean =>
  simple(reader.fullName) === simple(writer.fullName) ||
  aliasesOf(reader.attributes).some((alias) => simple(alias) === simple(writer.fullName))

function first<T>(
  items: readonly T[],
  problem: (item: T) => string | undefined,
): string | undefined {
  for (const item of items) {
    const found = problem(item)
    if (found !== undefined) return found
  }
  return undefined
}
