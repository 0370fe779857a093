// What can be made to go wrong, for people and tests that want to see their pipeline survive it.
import type { Clock } from '../../api/clock.ts'
import { ConfigError } from '../../api/errors.ts'

/** What happens to a matching call, and what to a matching commit (`…-commit`). */
export const FAULT_KINDS = [
  'status',
  'gone',
  'not-found',
  'hang',
  'slow',
  'lost',
  'truncate',
  'delay-commit',
  'freeze-commit',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

/** Done once, at once, to every matching channel, or to all scoped tokens. */
export const FAULT_ACTIONS = ['invalidate', 'zombie-open', 'invalid-pipe', 'expire-tokens'] as const
export type FaultAction = (typeof FAULT_ACTIONS)[number]

/** What each does, in a line, as `GET /faults/kinds` and the documentation tell it. */
export const FAULT_DESCRIPTIONS: Readonly<Record<FaultKind | FaultAction, string>> = {
  status: 'the call is refused with `status`, `code` and `message`; nothing is done',
  gone: 'the call is refused with 410 and plain text, as when a pipe fails over',
  'not-found': 'the call is refused with 404 and no body, as by a proxy without a route',
  hang: 'the call gets no answer; its connection is closed after `ms`',
  slow: 'the call is handled after `ms`',
  lost: 'the call is handled, and its connection closed instead of an answer',
  truncate: 'the call is handled, and its answer ends in the middle of the body',
  'delay-commit': 'the next commit of the table waits for `ms`',
  'freeze-commit': 'the next commit of the table waits until the faults are deleted',
  invalidate: 'matching channels must be reopened, as by SYSTEM$STREAMING_CHANNEL_INVALIDATE',
  'zombie-open': 'somebody else opens matching channels: their clients are fenced',
  'invalid-pipe':
    'matching pipes acknowledge rows and throw them away, until the faults are deleted',
  'expire-tokens': 'all scoped tokens given so far count as expired',
}

export interface FaultMatch {
  /** Part of `METHOD /path`, as the client sent it. */
  readonly path?: string
  /** Channel name. */
  readonly channel?: string
  /** Part of `DB.SCHEMA.TABLE`, for faults of commits. */
  readonly table?: string
}

export interface Fault {
  readonly kind: FaultKind
  readonly match: FaultMatch
  /** How many times; null until deleted. */
  readonly count: number | null
  readonly ms: number
  readonly status: number
  readonly code: string
  readonly message: string
}

const FAULTS_MAX = 1_000
const MS_MAX = 3_600_000

/** The faults that are set. */
export class Faults {
  readonly #clock: Clock
  #faults: { readonly fault: Fault; left: number }[] = []
  #cleared = new AbortController()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(fault: Fault): void {
    if (this.#faults.length >= FAULTS_MAX)
      throw new ConfigError(`There are ${FAULTS_MAX} faults already.`)
    this.#faults.push({ fault, left: fault.count ?? Number.POSITIVE_INFINITY })
  }

  list(): readonly Fault[] {
    return this.#faults.map(({ fault }) => fault)
  }

  /** Forgets all faults and lets go what they hold. */
  clear(): void {
    this.#faults = []
    this.#cleared.abort()
    this.#cleared = new AbortController()
  }

  /** The fault that hits this call, used up by one. */
  ofCall(method: string, path: string): Fault | undefined {
    if (this.#faults.length === 0) return undefined
    const subject = `${method} ${path}`
    return this.#take(({ kind, match }) => {
      if (kind.endsWith('-commit')) return false
      if (match.path !== undefined && !subject.includes(match.path)) return false
      return match.channel === undefined || isOfChannel(path, match.channel)
    })
  }

  /** Holds a commit for as long as a fault says. */
  async beforeCommit(table: string): Promise<void> {
    const fault = this.#take(
      ({ kind, match }) =>
        kind.endsWith('-commit') && (match.table === undefined || table.includes(match.table)),
    )
    if (fault !== undefined)
      await this.hold(fault.kind === 'freeze-commit' ? MS_MAX : fault.ms, undefined)
  }

  /** Resolves after `ms`, when the faults are cleared or when `signal` aborts, whichever comes first. */
  async hold(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const cleared = this.#cleared.signal
    const either = signal === undefined ? cleared : AbortSignal.any([cleared, signal])
    try {
      await this.#clock.sleep(ms, either)
    } catch (error) {
      if (!either.aborted) throw error
    }
  }

  #take(matches: (fault: Fault) => boolean): Fault | undefined {
    const found = this.#faults.find(({ fault }) => matches(fault))
    if (found === undefined) return undefined
    found.left--
    if (found.left <= 0) this.#faults = this.#faults.filter((item) => item !== found)
    return found.fault
  }
}

/** By the whole segment of the path: channel `f1` is not `f10`. */
function isOfChannel(path: string, channel: string): boolean {
  const name = encodeURIComponent(channel)
  const segments = path.split(/[/?]/)
  return segments.some((segment, at) => segment === name && segments[at - 1] === 'channels')
}

const FIELDS = ['kind', 'match', 'count', 'ms', 'status', 'code', 'message']

/** A fault or an action as the admin API takes it. @throws ConfigError naming the field. */
export function parseFault(
  body: Readonly<Record<string, unknown>>,
): { readonly fault: Fault } | { readonly action: FaultAction; readonly match: FaultMatch } {
  for (const key of Object.keys(body))
    if (!FIELDS.includes(key)) throw new ConfigError(`${key} is not one of ${FIELDS.join(', ')}.`)
  const kind = body['kind']
  const match = parseMatch(body['match'])
  const action = FAULT_ACTIONS.find((name) => name === kind)
  if (action !== undefined) return { action, match }
  const known = FAULT_KINDS.find((name) => name === kind)
  if (known === undefined)
    throw new ConfigError(`kind must be one of ${[...FAULT_KINDS, ...FAULT_ACTIONS].join(', ')}.`)
  return {
    fault: {
      kind: known,
      match,
      count: body['count'] === null ? null : integer(body, 'count', [1, 1_000_000], 1),
      ms: integer(body, 'ms', [0, MS_MAX], 1_000),
      status: integer(body, 'status', [400, 599], 503),
      code: textField(body, 'code', 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST'),
      message: textField(body, 'message', 'Injected fault.'),
    },
  }
}

function parseMatch(value: unknown): FaultMatch {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null) throw new ConfigError('match is not an object.')
  const match: Record<string, string> = {}
  for (const [key, item] of Object.entries(value)) {
    if (!['path', 'channel', 'table'].includes(key) || typeof item !== 'string')
      throw new ConfigError(`match.${key} is not one of path, channel, table with a text.`)
    match[key] = item
  }
  return match
}

function integer(
  body: Readonly<Record<string, unknown>>,
  key: string,
  [low, high]: readonly [number, number],
  fallback: number,
): number {
  const value = body[key] ?? fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high)
    throw new ConfigError(`${key} must be an integer in ${low}..${high}.`)
  return value
}

function textField(body: Readonly<Record<string, unknown>>, key: string, fallback: string): string {
  const value = body[key] ?? fallback
  if (typeof value !== 'string') throw new ConfigError(`${key} must be a text.`)
  return value
}
