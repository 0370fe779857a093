import { type DestinationStream, type Logger, pino } from 'pino'

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

/** A log of JSON lines. Secrets stay out of it: `Password` hides itself, the names below are cut out. */
export const createLogger = (level: LogLevel, destination?: DestinationStream): Logger =>
  pino(
    {
      base: null, // One process, one host: neither tells an operator anything.
      level: PINO_LEVELS[level],
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['password', '*.password', '*.authorization', '*["sasl.jaas.config"]'],
        censor: '[hidden]',
      },
    },
    destination,
  )

/** A log's level, changed at run time; it holds for the children made of it afterwards and before. */
export class LogLevels {
  readonly #log: Logger
  #level: LogLevel
  #modifiedMs: number | undefined
  readonly #children = new Set<WeakRef<Logger>>()

  constructor(log: Logger, level: LogLevel) {
    this.#log = log
    this.#level = level
  }

  get level(): LogLevel {
    return this.#level
  }

  /** When the level was last changed, undefined if never. */
  get modifiedMs(): number | undefined {
    return this.#modifiedMs
  }

  /** Kafka Connect's context, `[mta|task-0]`, as fields that can be filtered on. */
  child(fields: { readonly connector: string; readonly task?: number }): Logger {
    const child = this.#log.child(fields)
    for (const known of this.#children) {
      if (known.deref() === undefined) this.#children.delete(known)
    }
    this.#children.add(new WeakRef(child))
    return child
  }

  /** False when it was in force already. */
  set(level: LogLevel, nowMs: number): boolean {
    if (level === this.#level) return false
    this.#level = level
    this.#modifiedMs = nowMs
    this.#log.level = PINO_LEVELS[level]
    for (const known of this.#children) {
      const child = known.deref()
      if (child !== undefined) child.level = PINO_LEVELS[level]
    }
    return true
  }
}
