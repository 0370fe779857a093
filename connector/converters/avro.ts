import type { ConfigDef } from '../api/config-def.ts'
import type { ConvertedData, Converter } from '../api/converter.ts'
import { ConnectError, DataError, RetriableError } from '../api/errors.ts'
import type { Header } from '../api/records.ts'
import { NULL_VALUE, type Schema } from '../api/schema.ts'
import type { Awaitable, Props } from '../api/task-context.ts'
import {
  AVRO_CONVERTER_CONFIG,
  addressesOf,
  type AvroConverterConfig,
  strategyOf,
} from './avro-config.ts'
import { fromConnectSchema } from './avro-from-connect.ts'
import { type AvroNode, type NamedTypes, parseAvro } from './avro-node.ts'
import { type AvroReader, compileReader, parseJson, readLazily } from './avro-reader.ts'
import type { AvroDataOptions } from './avro-to-connect.ts'
import { type AvroType, compileType } from './avro-type.ts'
import { unreadable } from './avro-resolution.ts'
import { AvroWriter, PREFIX_BYTES } from './avro-writer.ts'
import { BoundedCache } from './avro-cache.ts'
import {
  RegistryClient,
  type RegistryContext,
  type SchemaReference,
  type StoredSchema,
} from './registry-client.ts'

/** What one Connect schema is written with. */
interface WriteSchema {
  readonly text: string
  readonly node: AvroNode
  readonly optional: boolean
  /** By topic: the registered id, and the type that goes with it. */
  readonly targets: Map<string, WriteTarget>
  readonly pending: Map<string, Promise<WriteTarget>>
}
interface WriteTarget {
  readonly id: number
  readonly type: AvroType
}
interface Configured {
  readonly config: AvroConverterConfig
  readonly isKey: boolean
  readonly data: AvroDataOptions
  readonly registry: RegistryClient
  /** Ids never change their meaning, so a schema that cannot be used stays so. */
  readonly readers: BoundedCache<number, AvroReader | DataError>
  readonly writeSchemas: BoundedCache<string, WriteSchema>
}

/** Of one schema's references, direct and indirect. */
const REFERENCES_MAX = 200
/** Topics that one schema is written to; beyond that, ids are asked for again. */
const TARGETS_MAX = 10_000

/**
 * Reads and writes Confluent's Avro messages, with a schema registry: `io.confluent.connect.avro.AvroConverter`.
 *
 * A schema that was seen before is handled at once, without a promise.
 */
export class AvroConverter implements Converter {
  readonly #context: RegistryContext
  readonly #writer = new AvroWriter()
  readonly #reading = new Map<number, Promise<AvroReader>>()
  /** By identity, since comparing schemas for each record would cost more than writing it. */
  #bySchema = new WeakMap<Schema, WriteSchema>()
  #configured: Configured | undefined

  constructor(context: RegistryContext) {
    this.#context = context
  }

  config(): ConfigDef {
    return AVRO_CONVERTER_CONFIG
  }

  /** Throws a `ConfigError` that names every problem. Asks the registry nothing yet. */
  configure(props: Props, isKey: boolean): void {
    const config = AVRO_CONVERTER_CONFIG.parse(props)
    const registry = new RegistryClient(
      {
        addresses: addressesOf(config),
        bearerToken: config['bearer.auth.token']?.reveal(),
        timeoutMs: config['http.read.timeout.ms'],
        retries: config['max.retries'],
        retryWaitMs: config['retries.wait.ms'],
        retryWaitMsMax: config['retries.max.wait.ms'],
        normalize: config['normalize.schemas'],
      },
      this.#context,
    )
    this.#configured?.registry.close()
    this.#bySchema = new WeakMap()
    this.#configured = {
      config,
      isKey,
      data: {
        enhanced: config['enhanced.avro.schema.support'],
        metaData: config['connect.meta.data'],
      },
      registry,
      readers: new BoundedCache(config['schemas.cache.config']),
      writeSchemas: new BoundedCache(config['schemas.cache.config']),
    }
  }

  fromConnectData(
    topic: string,
    _headers: readonly Header[],
    schema: Schema | null,
    value: unknown,
  ): Awaitable<Uint8Array | null> {
    if (value === null || value === undefined) return nullMessage(topic, schema)
    const known = this.#bySchema.get(schema ?? schemaOfScalar(topic, value))
    const write = known ?? this.#writeSchema(topic, schema ?? schemaOfScalar(topic, value))
    const target = write.targets.get(topic)
    if (target !== undefined) return this.#write(topic, target, value)
    return this.#target(topic, write).then((found) => this.#write(topic, found, value))
  }

  toConnectData(
    topic: string,
    _headers: readonly Header[],
    bytes: Uint8Array | null,
  ): Awaitable<ConvertedData> {
    if (bytes === null) return NULL_VALUE
    const id = idOf(topic, bytes)
    const reader = this.#ready().readers.get(id)
    if (reader instanceof DataError) throw about(topic, reader)
    if (reader !== undefined) return read(topic, reader, bytes)
    return this.#reader(id).then(
      (found) => read(topic, found, bytes),
      (error: unknown) => {
        throw about(topic, error)
      },
    )
  }

  close(): void {
    this.#configured?.registry.close()
    this.#configured = undefined
  }

  #ready(): Configured {
    if (this.#configured !== undefined) return this.#configured
    throw new ConnectError('The AvroConverter is used before configure() or after close().')
  }

  #write(topic: string, target: WriteTarget, value: unknown): Uint8Array {
    try {
      return this.#writer.write(target.type, target.id, value)
    } catch (error) {
      throw about(topic, error)
    }
  }

  #writeSchema(topic: string, schema: Schema): WriteSchema {
    const { data, writeSchemas } = this.#ready()
    try {
      const avro = fromConnectSchema(schema, data)
      const text = JSON.stringify(avro)
      const known = writeSchemas.get(text)
      const write = known ?? {
        text,
        node: parseAvro(avro),
        optional: schema.optional,
        targets: new Map<string, WriteTarget>(),
        pending: new Map<string, Promise<WriteTarget>>(),
      }
      if (known === undefined) writeSchemas.set(text, write)
      this.#bySchema.set(schema, write)
      return write
    } catch (error) {
      throw about(topic, error)
    }
  }

  /** One lookup at a time for one topic; what it finds is kept. */
  #target(topic: string, write: WriteSchema): Promise<WriteTarget> {
    const pending = write.pending.get(topic)
    if (pending !== undefined) return pending
    const started = this.#findTarget(topic, write).then(
      (target) => {
        if (write.targets.size >= TARGETS_MAX) write.targets.clear()
        write.targets.set(topic, target)
        write.pending.delete(topic)
        return target
      },
      (error: unknown) => {
        write.pending.delete(topic)
        throw about(topic, error)
      },
    )
    write.pending.set(topic, started)
    return started
  }

  async #findTarget(topic: string, write: WriteSchema): Promise<WriteTarget> {
    const { config, data, registry } = this.#ready()
    const subject = this.#subject(topic, write.node)
    if (config['auto.register.schemas']) {
      const id = await registry.register(subject, write.text)
      return { id, type: compileType(write.node, data.enhanced) }
    }
    if (config['use.latest.version']) {
      const latest = await registry.latest(subject)
      const names = await this.#referenced(latest)
      const node = parseAvro(parseJson(latest.text, latest.id), names)
      if (config['latest.compatibility.strict']) requireReadable(subject, node, write.node)
      return { id: latest.id, type: compileType(node, data.enhanced) }
    }
    const id = await registry.lookup(subject, write.text)
    return { id, type: compileType(write.node, data.enhanced) }
  }

  #subject(topic: string, node: AvroNode): string {
    const { config, isKey } = this.#ready()
    const strategy = strategyOf(config, isKey)
    if (strategy === 'TopicNameStrategy') return `${topic}-${isKey ? 'key' : 'value'}`
    const branches = node.kind === 'union' ? node.branches : [node]
    const named = branches.find((branch) => branch.kind === 'record')
    if (named === undefined || !('fullName' in named)) {
      throw new DataError(`${strategy} needs a record, and the schema is not one.`)
    }
    return strategy === 'RecordNameStrategy' ? named.fullName : `${topic}-${named.fullName}`
  }

  #reader(id: number): Promise<AvroReader> {
    const running = this.#reading.get(id)
    if (running !== undefined) return running
    const started = this.#loadReader(id).finally(() => this.#reading.delete(id))
    this.#reading.set(id, started)
    return started
  }

  async #loadReader(id: number): Promise<AvroReader> {
    const { data, registry, readers } = this.#ready()
    const stored = await registry.schemaById(id)
    const names = await this.#referenced(stored)
    try {
      const reader = compileReader(id, stored.text, { ...data, names })
      readers.set(id, reader)
      return reader
    } catch (error) {
      if (error instanceof DataError) readers.set(id, error)
      throw error
    }
  }

  /** The types of all schemas that this one refers to, each after those that it refers to itself. */
  async #referenced(schema: StoredSchema): Promise<NamedTypes> {
    const names: NamedTypes = new Map()
    const seen = new Set<string>()
    const visit = async (references: readonly SchemaReference[]): Promise<void> => {
      for (const reference of references) {
        const key = `${reference.subject} ${reference.version}`
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > REFERENCES_MAX) {
          throw new DataError(`The schema refers to more than ${REFERENCES_MAX} others.`)
        }
        const found = await this.#ready().registry.referenced(reference)
        await visit(found.references)
        parseAvro(parseJson(found.text, found.id), names)
      }
    }
    await visit(schema.references)
    return names
  }
}

function requireReadable(subject: string, latest: AvroNode, written: AvroNode): void {
  const problem = unreadable(latest, written)
  if (problem === undefined) return
  throw new DataError(
    `Incompatible schema: the latest of subject "${subject}" cannot read what the record's own schema writes, ${problem}. Set latest.compatibility.strict=false to disable this check`,
  )
}

function nullMessage(topic: string, schema: Schema | null): null {
  if (schema === null || schema.optional) return null
  throw new DataError(`Topic ${topic}: the value is null, and its schema is not optional.`)
}

const SCALARS: Readonly<Record<string, Schema>> = {
  string: { type: 'STRING', optional: true },
  boolean: { type: 'BOOLEAN', optional: true },
  number: { type: 'FLOAT64', optional: true },
  bigint: { type: 'INT64', optional: true },
}
const BYTES: Schema = { type: 'BYTES', optional: true }

/** The schema of a value that came without one. Objects have too many readings to guess at. */
function schemaOfScalar(topic: string, value: unknown): Schema {
  const schema = value instanceof Uint8Array ? BYTES : SCALARS[typeof value]
  if (schema !== undefined) return schema
  throw new DataError(
    `Topic ${topic}: a value of type ${typeof value} without a schema cannot be written as Avro.`,
  )
}

function idOf(topic: string, bytes: Uint8Array): number {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) {
    const got = bytes.length === 0 ? 'nothing' : `${bytes.length} bytes that begin with ${bytes[0]}`
    throw new DataError(
      `Topic ${topic}: expected an Avro message (a zero, a schema id of 4 bytes, the value), got ${got}.`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES)
  return view.getInt32(1)
}

function read(topic: string, reader: AvroReader, bytes: Uint8Array): ConvertedData {
  try {
    return readLazily(reader, bytes, PREFIX_BYTES)
  } catch (error) {
    throw about(topic, error, ` with schema id ${reader.schemaId}`)
  }
}

/** The same error with the topic in front: its class says what happens next, its text whom it concerns. */
function about(topic: string, error: unknown, detail = ''): unknown {
  if (!(error instanceof ConnectError)) return error
  const message = `Topic ${topic}${detail}: ${error.message}`
  if (error instanceof DataError) return new DataError(message, { cause: error })
  if (error instanceof RetriableError) {
    const { retryAfterMs } = error
    return new RetriableError(message, {
      cause: error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }
  return new ConnectError(message, { cause: error })
}
