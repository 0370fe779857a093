import { type DestinationStream, type Logger, pino } from 'pino'
import { asError, shortTrace } from './thrown.ts'

export type { Logger }

export type LogLevel = 'OFF' | 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE' | 'ALL'

const PINO_LEVELS: Readonly<Record<LogLevel, string>> = {
  OFF: 'silent',
  FATAL: 'fatal',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'trace',
  ALL: 'trace',
}

/** The level of that name in any case, or undefined. */
export function parseLevel(name: string): LogLevel | undefined {
  const upper = name.toUpperCase()
  return upper in PINO_LEVELS ? (upper as LogLevel) : undefined
}

const shownError = (thrown: unknown): object => {
  const error = asError(thrown)
  return { type: error.name, message: error.message, stack: shortTrace(error) }
}

/** A log of JSON lines. Secrets stay out of it: `Password` hides itself, the names below are cut out. */
export const createLogger = (level: LogLevel, destination?: DestinationStream): Logger =>
  pino(
    {
      base: null, // One process, one host: neither tells an operator anything.
      level: PINO_LEVELS[level],
      timestamp: pino.stdTimeFunctions.isoTime,
      // Not what plugins hang onto their errors: whole responses, of any size.
      serializers: { err: shownError },
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['password', '*.password', '*.authorization', '*["sasl.jaas.config"]'],
        censor: '[hidden]',
      },
    },
    destination,
  )

/** What may be logged below which name, as Kafka Connect's users know the names. */
export const LOGGERS = {
  connector: 'org.apache.kafka.connect.runtime.WorkerConnector',
  sinkTask: 'org.apache.kafka.connect.runtime.WorkerSinkTask',
  sourceTask: 'org.apache.kafka.connect.runtime.WorkerSourceTask',
  herder: 'org.apache.kafka.connect.runtime.standalone.StandaloneHerder',
  rest: 'org.apache.kafka.connect.runtime.rest.RestServer',
} as const

const ROOT = 'root'
const NAMED_MAX = 1_000

/** A logger's level and when it was last changed, milliseconds since the Unix epoch. */
export interface LoggerState {
  readonly level: LogLevel
  readonly modifiedMs: number | undefined
}

interface Named {
  level: LogLevel
  /** False: as the log that everything is made of, whatever that is. */
  isSet: boolean
  modifiedMs: number | undefined
  readonly children: Set<WeakRef<Logger>>
}

/** The levels of a log and of the named loggers below it, changed at run time; a change holds for loggers made before, too. */
export class LogLevels {
  readonly #log: Logger
  readonly #root: Named
  readonly #named = new Map<string, Named>()

  constructor(log: Logger, level: LogLevel) {
    this.#log = log
    this.#root = { level, isSet: false, modifiedMs: undefined, children: new Set() }
    for (const name of Object.values(LOGGERS)) this.#register(name)
  }

  /** Kafka Connect's context, `[mta|task-0]`, as fields that can be filtered on, in a logger of that name. */
  child(
    fields: { readonly connector?: string; readonly task?: number },
    name: string = LOGGERS.connector,
  ): Logger {
    const named = this.#register(name)
    const child = this.#log.child({ logger: name, ...fields })
    if (named.isSet) child.level = PINO_LEVELS[named.level]
    for (const known of named.children) {
      if (known.deref() === undefined) named.children.delete(known)
    }
    named.children.add(new WeakRef(child))
    return child
  }

  /** The loggers that there are, by name; `root` is the one above all. */
  list(): ReadonlyMap<string, LoggerState> {
    return new Map<string, LoggerState>(
      [...this.#named, [ROOT, this.#root] as const].sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  }

  /** Undefined: there is no logger of that name. */
  get(name: string): LoggerState | undefined {
    return name === ROOT ? this.#root : this.#named.get(name)
  }

  /** Sets the level of a logger and of all whose names begin so. Returns those whose level was another, sorted. */
  set(name: string, level: LogLevel, nowMs: number): readonly string[] {
    if (name === ROOT) {
      const isChanged = change(this.#root, level, nowMs)
      this.#log.level = PINO_LEVELS[level]
      const changed = [...this.#named].filter(([, named]) => change(named, level, nowMs))
      return [...changed.map(([key]) => key), ...(isChanged ? [ROOT] : [])].sort()
    }
    this.#register(name)
    return [...this.#named]
      .filter(([key, named]) => key.startsWith(name) && change(named, level, nowMs))
      .map(([key]) => key)
      .sort()
  }

  /** A new logger has the level of the nearest one above it. */
  #register(name: string): Named {
    const known = this.#named.get(name)
    if (known !== undefined) return known
    let above: Named = this.#root
    const parts = name.split('.')
    for (let end = parts.length - 1; end > 0 && above === this.#root; end--) {
      above = this.#named.get(parts.slice(0, end).join('.')) ?? above
    }
    const { isSet, level } = above
    const named: Named = { level, isSet, modifiedMs: undefined, children: new Set() }
    // Names come from requests; beyond the limit they are not kept, and setting them has no effect.
    if (this.#named.size < NAMED_MAX) this.#named.set(name, named)
    return named
  }
}

/** False when the level was in force already. */
function change(named: Named, level: LogLevel, nowMs: number): boolean {
  if (named.level === level) return false
  named.level = level
  named.isSet = true
  named.modifiedMs = nowMs
  for (const known of named.children) {
    const child = known.deref()
    if (child !== undefined) child.level = PINO_LEVELS[level]
  }
  return true
}
