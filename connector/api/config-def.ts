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
  key(type, withRange(o), (text) => {
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
  key('DOUBLE', withRange(o), (text) => {
    const n = text === '' ? Number.NaN : Number(text)
    if (Number.isNaN(n)) throw new ConfigError('Not a number of type DOUBLE')
    return n
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
        order: group === null ? -1 : order,
      }
    })
  }

  /** One entry per key, with every problem. Never throws; passwords are hidden. */
  validate(props: Props): readonly ConfigValue[] {
    const parsed: Record<string, unknown> = {}
    const errors = new Map<string, string[]>()
    for (const name of Object.keys(this.keys)) {
      const problems: string[] = []
      errors.set(name, problems)
      try {
        parsed[name] = this.#value(name, props)
      } catch (error) {
        problems.push(error instanceof ConfigError ? error.message : String(error))
      }
    }
    return Object.entries(this.keys).map(([name, k]) => ({
      name,
      value: shown(k, props[name], parsed[name]),
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
    const problems: string[] = []
    for (const name of Object.keys(this.keys)) {
      try {
        values[name] = this.#value(name, props)
      } catch (error) {
        problems.push(error instanceof ConfigError ? error.message : String(error))
      }
    }
    if (problems.length > 0) throw new ConfigError(problems.join('\n'))
    return values as Parsed<D>
  }

  #value(name: string, props: Props): unknown {
    const k = this.keys[name]
    if (k === undefined) throw new ConfigError(`Unknown configuration '${name}'`)
    const text = props[name]
    if (text === undefined) {
      if (k.required) {
        throw new ConfigError(
          `Missing required configuration "${name}" which has no default value.`,
        )
      }
      return k.default
    }
    const secret = k.type === 'PASSWORD' ? '[hidden]' : text
    let value: unknown
    try {
      value = k.parse(text.trim())
    } catch (error) {
      throw invalid(name, secret, error instanceof Error ? error.message : String(error))
    }
    const problem = k.check?.(value, name)
    if (problem !== undefined) throw invalid(name, secret, problem)
    return value
  }
}

const invalid = (name: string, text: string, problem: string): ConfigError =>
  new ConfigError(`Invalid value ${text} for configuration ${name}: ${problem}`)

function shown(k: AnyKey, text: string | undefined, parsed: unknown): string | null {
  if (k.type === 'PASSWORD')
    return text === undefined && k.default === undefined ? null : '[hidden]'
  return parsed === undefined ? (text ?? null) : toText(parsed)
}

function toText(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (value instanceof Password) return '[hidden]'
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join(',') : JSON.stringify(value)
}
