import type { ConnectRecord } from '../api/records.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import type { Predicate, Transformation } from '../api/transformation.ts'
import type { Plugins } from './plugins.ts'

interface Link {
  readonly transformation: Transformation
  readonly className: string
  readonly predicate: Predicate | undefined
  readonly negate: boolean
}

/** A connector's transformations in order. A link applies when its predicate holds (or not, with `negate`). */
export class TransformationChain {
  readonly #links: readonly Link[]

  constructor(links: readonly Link[]) {
    this.#links = links
  }

  get isEmpty(): boolean {
    return this.#links.length === 0
  }

  /** The classes in order, for error reports. */
  get classNames(): string {
    return this.#links.map((link) => link.className).join(', ')
  }

  /** Null: the record is dropped. Throws what a transformation threw. */
  apply<R extends ConnectRecord>(record: R): R | null {
    let current: R | null = record
    for (const link of this.#links) {
      if (current === null) return null
      if (link.predicate !== undefined && link.predicate.test(current) === link.negate) continue
      const next = link.transformation.apply(current) as R | null
      if (next !== null && 'kafkaOffset' in current && !('originalTopic' in next)) {
        throw new TypeError(
          `${link.className} returned a record that does not say where it was read: transformations make records by newRecord, not by copying.`,
        )
      }
      current = next
    }
    return current
  }

  close(): void {
    for (const link of this.#links) {
      link.transformation.close?.()
      link.predicate?.close?.()
    }
  }
}

/** Makes the chain of a connector's configuration. @throws ConfigError that names the key. */
export async function transformationChain(
  props: Props,
  plugins: Plugins,
): Promise<TransformationChain> {
  const links: Link[] = []
  for (const alias of listOf(props['transforms'])) {
    const prefix = `transforms.${alias}.`
    const className = required(props, `${prefix}type`)
    const transformation = await plugins.create('transformation', className, `${prefix}type`)
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
