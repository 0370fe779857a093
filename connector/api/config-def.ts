import { ConfigError } from './errors.ts'
import { Password } from './password.ts'
import type { Props } from './task-context.ts'

export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'
export type Width = 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG'
export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'SHORT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD'

/** Offers values for a key, from what the others hold. Neither may have side effects. */
export interface Recommender {
  validValues(name: string, parsed: Readonly<Record<string, unknown>>): readonly unknown[]
  visible(name: string, parsed: Readonly<Record<string, unknown>>): boolean
}

interface KeyOptions<T> {
  /** One sentence for an operator. Shown by `PUT /connector-plugins/{class}/config/validate`. */
  readonly doc: string
  readonly importance: Importance
  /** Absent means required. `undefined` given as such means: may be left out, and then is undefined. */
  readonly default?: T
  /** Returns what is wrong with the value, or undefined. */
  readonly check?: (value: T, name: string) => string | undefined
  readonly group?: string
  /** Place within the group. Default: as the keys of the group are defined, from 1. */
  readonly order?: number
  readonly width?: Width
  readonly displayName?: string
  readonly dependents?: readonly string[]
  readonly recommender?: Recommender
}

export interface ConfigKey<T> extends KeyOptions<T> {
  readonly type: ConfigType
  /** Reads a trimmed text. Throws a `ConfigError` that says what was expected. */
  readonly parse: (text: string) => T
  readonly required: boolean
  /** The check refuses a missing value by these words, as Kafka's ranges do after a value that is no number. */
  readonly missingProblem?: string
  /** The name that the check's errors give the key; default: its own. */
  readonly checkedAs?: string
}

/** A key's definition as Kafka Connect's REST API shows it. */
export interface ConfigKeyInfo {
  readonly name: string
  readonly type: ConfigType
  readonly required: boolean
  readonly default_value: string | null
  readonly importance: Importance
  readonly documentation: string
  readonly group: string | null
  readonly width: Width
  readonly display_name: string
  readonly dependents: readonly string[]
  readonly order: number
}

/** A key's value and what is wrong with it. */
export interface ConfigValue {
  readonly name: string
  readonly value: string | null
  readonly recommendedValues: readonly string[]
  readonly errors: readonly string[]
  readonly visible: boolean
}

type Options<T> = KeyOptions<T>
const key = <T>(
  type: ConfigType,
  options: Options<T>,
  parse: (text: string) => T,
): ConfigKey<T> => ({
  ...options,
  type,
  parse,
  required: !('default' in options),
})

export const string = <T extends string | undefined = string>(o: Options<T>): ConfigKey<T> =>
  key('STRING', o, (text) => text as T)

export const classNameKey = <T extends string | undefined = string>(o: Options<T>): ConfigKey<T> =>
  key('CLASS', o, (text) => text as T)

export const password = <T extends Password | undefined = Password>(o: Options<T>): ConfigKey<T> =>
  key('PASSWORD', o, (text) => new Password(text) as T)

/** Comma-separated; an empty text is an empty list. */
export const list = (o: Options<readonly string[]>): ConfigKey<readonly string[]> =>
  key('LIST', o, (text) => (text === '' ? [] : text.split(/\s*,\s*/)))

export const boolean = (o: Options<boolean>): ConfigKey<boolean> =>
  key('BOOLEAN', o, (text) => {
    const lower = text.toLowerCase()
    if (lower !== 'true' && lower !== 'false') {
      throw new ConfigError('Expected value to be either true or false')
    }
    return lower === 'true'
  })

type Numeric = Options<number> & { readonly range?: readonly [number, number] }

const integer = (type: 'INT' | 'SHORT' | 'LONG', limit: number) => (o: Numeric) =>
  numeric(type, o, (text) => {
    const n = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(n) || n > limit || n < -limit - 1) {
      throw new ConfigError(`Not a number of type ${type}`)
    }
    return n
  })

export const int = integer('INT', 2 ** 31 - 1)
export const short = integer('SHORT', 2 ** 15 - 1)
/** A LONG within what a `number` holds exactly. */
export const long = integer('LONG', Number.MAX_SAFE_INTEGER)

export const double = (o: Numeric): ConfigKey<number> =>
  numeric('DOUBLE', o, (text) => {
    const n = text === '' ? Number.NaN : Number(text)
    if (Number.isNaN(n)) throw new ConfigError('Not a number of type DOUBLE')
    return n
  })

const numeric = (
  type: ConfigType,
  o: Numeric,
  parse: (text: string) => number,
): ConfigKey<number> => ({
  ...key(type, withRange(o), parse),
  ...(o.range !== undefined && { missingProblem: 'Value must be non-null' }),
})

function withRange(o: Numeric): Options<number> {
  const { range } = o
  if (range === undefined) return o
  return {
    ...o,
    check: (value, name) => {
      if (value < range[0]) return `Value must be at least ${range[0]}`
      if (value > range[1]) return `Value must be no more than ${range[1]}`
      return o.check?.(value, name)
    },
  }
}

/** A check that the value is one of `values`. */
export const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (value: string): string | undefined =>
    values.includes(value as T) ? undefined : `String must be one of: ${values.join(', ')}`

export const nonEmpty = (value: string): string | undefined =>
  value.trim() === '' ? 'String may not be empty' : undefined

type AnyKey = ConfigKey<any> // oxlint-disable-line typescript/no-explicit-any -- variance: one definition holds keys of many types
export type ConfigKeys = Readonly<Record<string, AnyKey>>
type Parsed<D extends ConfigKeys> = {
  readonly [K in keyof D]: D[K] extends ConfigKey<infer T> ? T : never
}
export type ConfigOf<D> = D extends ConfigDef<infer K> ? Parsed<K> : never

/**
 * What a connector, converter or worker can be configured with. One definition serves parsing,
 * validation over REST, and the reference tables in the documentation, so they can't disagree. Keys keep
 * the order in which they are defined.
 */
export class ConfigDef<D extends ConfigKeys = ConfigKeys> {
  readonly keys: D
  constructor(keys: D) {
    this.keys = keys
  }

  /** The keys as REST shows them. */
  infos(): readonly ConfigKeyInfo[] {
    const orders = new Map<string | null, number>()
    return Object.entries(this.keys).map(([name, k]) => {
      const group = k.group ?? null
      const order = (orders.get(group) ?? 0) + 1
      orders.set(group, order)
      return {
        name,
        type: k.type,
        required: k.required,
        default_value: toText(k.default),
        importance: k.importance,
        documentation: k.doc,
        group,
        width: k.width ?? 'NONE',
        display_name: k.displayName ?? name,
        dependents: k.dependents ?? [],
        order: k.order ?? (group === null ? -1 : order),
      }
    })
  }

  /** One entry per key, with every problem; null is a value that was given as such. Never throws; passwords are hidden. */
  validate(props: Readonly<Record<string, string | null>>): readonly ConfigValue[] {
    const parsed: Record<string, unknown> = {}
    const errors = new Map<string, string[]>()
    for (const name of Object.keys(this.keys)) {
      const { problems, value } = this.#read(name, props)
      parsed[name] = value
      errors.set(name, problems)
    }
    return Object.entries(this.keys).map(([name, k]) => ({
      name,
      value: shown(k, parsed[name]),
      recommendedValues: (k.recommender?.validValues(name, parsed) ?? []).map(
        (value: unknown) => toText(value) ?? 'null',
      ),
      errors: errors.get(name) ?? [],
      visible: k.recommender?.visible(name, parsed) ?? true,
    }))
  }

  /** The typed values. Throws one `ConfigError` naming every problem, not only the first. */
  parse(props: Props): Parsed<D> {
    const values: Record<string, unknown> = {}
    const all: string[] = []
    for (const name of Object.keys(this.keys)) {
      const { problems, value } = this.#read(name, props)
      values[name] = value
      all.push(...problems.slice(0, 1))
    }
    if (all.length > 0) throw new ConfigError(all.join('\n'))
    return values as Parsed<D>
  }

  /** A key's value, undefined when it could not be read, and everything that is wrong with it. */
  #read(
    name: string,
    props: Readonly<Record<string, string | null>>,
  ): { readonly value: unknown; readonly problems: string[] } {
    const k: AnyKey | undefined = this.keys[name]
    if (k === undefined) return { value: undefined, problems: [`Unknown configuration '${name}'`] }
    const text = props[name]
    if (text === undefined && !k.required) return { value: k.default, problems: [] }
    const problems: string[] = []
    let value: unknown
    if (text === undefined) {
      problems.push(`Missing required configuration "${name}" which has no default value.`)
    } else if (text !== null) {
      try {
        value = k.parse(text.trim())
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        problems.push(invalid(name, k.type === 'PASSWORD' ? '[hidden]' : text, why))
      }
    }
    const problem = checked(k, value, name)
    if (problem !== undefined) problems.push(problem)
    return { value, problems }
  }
}

const invalid = (name: string, text: string, problem: string): string =>
  `Invalid value ${text} for configuration ${name}: ${problem}`

/** What the key's check says. A check that throws a `ConfigError` words the whole message itself. */
function checked(k: AnyKey, value: unknown, ownName: string): string | undefined {
  const name = k.checkedAs ?? ownName
  if (value === undefined) {
    return k.missingProblem === undefined ? undefined : invalid(name, 'null', k.missingProblem)
  }
  try {
    const problem: string | undefined = k.check?.(value, name)
    return problem === undefined ? undefined : invalid(name, javaText(value), problem)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** A value as Java prints it: lists in brackets. */
const javaText = (value: unknown): string =>
  Array.isArray(value) ? `[${value.join(', ')}]` : (toText(value) ?? 'null')

function shown(k: AnyKey, parsed: unknown): string | null {
  if (parsed === undefined || parsed === null) return null
  return k.type === 'PASSWORD' ? '[hidden]' : toText(parsed)
}

function toText(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (value instanceof Password) return '[hidden]'
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join(',') : JSON.stringify(value)
}
