import type { ConnectRecord } from '../api/records.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import type { Predicate, Transformation } from '../api/transformation.ts'
import type { Plugins } from './plugins.ts'

interface LinkParts {
  readonly transformation: Transformation
  /** The transformation's class, as errors name it. */
  readonly className: string
  readonly predicate: Predicate | undefined
  readonly negate: boolean
}

/** One transformation of a chain. Applies when its predicate holds (or not, with `negate`). */
export class TransformationLink {
  readonly className: string
  readonly #parts: LinkParts

  constructor(parts: LinkParts) {
    this.className = parts.className
    this.#parts = parts
  }

  /** Null: the record is dropped. Throws what the transformation or its predicate threw. */
  apply<R extends ConnectRecord>(record: R): R | null {
    const { transformation, predicate, negate } = this.#parts
    if (predicate !== undefined && predicate.test(record) === negate) return record
    const next = transformation.apply(record) as R | null
    if (next !== null && 'kafkaOffset' in record && !('originalTopic' in next)) {
      throw new TypeError(
        `${this.className} returned a record that does not say where it was read: transformations make records by newRecord, not by copying.`,
      )
    }
    return next
  }

  close(): void {
    this.#parts.transformation.close?.()
    this.#parts.predicate?.close?.()
  }
}

/** A connector's transformations in order; each is an operation of its own, which fails and is retried alone. */
export class TransformationChain {
  readonly links: readonly TransformationLink[]

  constructor(links: readonly LinkParts[]) {
    this.links = links.map((link) => new TransformationLink(link))
  }

  get isEmpty(): boolean {
    return this.links.length === 0
  }

  close(): void {
    for (const link of this.links) link.close()
  }
}

/** Makes the chain of a connector's configuration. @throws ConfigError that names the key. */
export async function transformationChain(
  props: Props,
  plugins: Plugins,
): Promise<TransformationChain> {
  const links: LinkParts[] = []
  for (const alias of listOf(props['transforms'])) {
    const prefix = `transforms.${alias}.`
    const type = required(props, `${prefix}type`)
    const transformation = await plugins.create('transformation', type, `${prefix}type`)
    const className = plugins.className('transformation', type)
    configure(transformation, withoutPrefix(props, prefix), className)
    const name = props[`${prefix}predicate`]
    const predicate =
      name === undefined ? undefined : await makePredicate(props, plugins, name.trim())
    const negate = props[`${prefix}negate`]?.trim().toLowerCase() === 'true'
    links.push({ transformation, className, predicate, negate })
  }
  return new TransformationChain(links)
}

async function makePredicate(props: Props, plugins: Plugins, alias: string): Promise<Predicate> {
  const prefix = `predicates.${alias}.`
  const className = required(props, `${prefix}type`)
  const predicate = await plugins.create('predicate', className, `${prefix}type`)
  configure(predicate, withoutPrefix(props, prefix), className)
  return predicate
}

function configure(plugin: Transformation | Predicate, config: Props, className: string): void {
  try {
    plugin.configure(config)
  } catch (error) {
    throw new ConfigError(`${className}: ${toMessage(error)}`, { cause: error })
  }
}

function required(props: Props, key: string): string {
  const value = props[key]?.trim()
  if (value === undefined || value === '') {
    throw new ConfigError(`Missing required configuration "${key}" which has no default value.`)
  }
  return value
}

const listOf = (text: string | undefined): readonly string[] =>
  text === undefined || text.trim() === '' ? [] : text.trim().split(/\s*,\s*/)

/** The keys below a prefix, without it. */
export const withoutPrefix = (props: Props, prefix: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(props).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  )
