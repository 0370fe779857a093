// The schema registry as the converter needs it. @kafkajs/confluent-schema-registry makes the requests; what
// it lacks is here: several addresses, retries that do not leak between clients, in-flight sharing for every
// lookup, a memory of what is not there, errors that say whether to try again.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import type { Clock, Random } from '../api/clock.ts'
import { ConnectError, DataError, RetriableError } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { RegistryAddress } from './avro-config.ts'
import { isObject } from './avro-node.ts'
import { RegistryCallError, type RegistryTransport, registryTransport } from './registry-http.ts'

export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

export interface StoredSchema {
  readonly id: number
  /** As text, the way the registry keeps it. */
  readonly text: string
  readonly references: readonly SchemaReference[]
}

export interface RegistryOptions {
  readonly addresses: readonly RegistryAddress[]
  readonly bearerToken: string | undefined
  readonly timeoutMs: number
  readonly retries: number
  readonly retryWaitMs: number
  readonly retryWaitMsMax: number
  readonly normalize: boolean
}

export interface RegistryContext {
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  /** Told why a request is made again, and with null when that is over. */
  readonly onRetrying?: (message: string | null) => void
}

/** How long "there is no such schema" is believed without asking again. */
const ABSENT_MS = 5_000
const ABSENT_MAX = 1_000
/** The library merges this into a default that all its clients share, so every client gives the same, and all of it. */
const LIBRARY_RETRY = {
  maxRetryTimeInSecs: 0,
  initialRetryTimeInSecs: 0,
  factor: 0,
  multiplier: 1,
  retries: 0,
}

type Request = (params: Record<string, unknown>) => Promise<{ data(): unknown }>
/** The calls behind the library's methods. Its `register` refuses primitive schemas and demands a level of compatibility. */
interface Calls {
  readonly Schema: { readonly find: Request }
  readonly Subject: Readonly<
    Record<'register' | 'registered' | 'latestVersion' | 'version', Request>
  >
}

export class RegistryClient {
  readonly #calls: readonly Calls[]
  readonly #options: RegistryOptions
  readonly #context: RegistryContext
  readonly #transport: RegistryTransport
  readonly #closing = new AbortController()
  readonly #inFlight = new Map<string, Promise<StoredSchema>>()
  /** Failures that stand for a while, by request. */
  readonly #absent = new Map<string, { readonly error: DataError; readonly untilMs: number }>()
  #preferred = 0

  constructor(options: RegistryOptions, context: RegistryContext) {
    this.#options = options
    this.#context = context
    const { timeoutMs, bearerToken } = options
    this.#transport = registryTransport({ timeoutMs, bearerToken })
    this.#calls = options.addresses.map(({ url, auth }) => {
      const registry = new SchemaRegistry({
        host: url,
        retry: LIBRARY_RETRY,
        middlewares: [this.#transport.middleware],
        ...(auth === undefined ? {} : { auth }),
      })
      return (registry as unknown as { readonly api: Calls }).api
    })
  }

  /** Throws `DataError` when there is no such id. */
  schemaById(id: number): Promise<StoredSchema> {
    return this.#once(`id ${id}`, async () => {
      const what = `The schema with id ${id}`
      return stored({ ...(await this.#call(what, (api) => api.Schema.find({ id }))), id }, what)
    })
  }

  /** Registers a schema, or finds it registered. Throws `DataError` when the registry refuses it. */
  register(subject: string, text: string): Promise<number> {
    const body = { schema: text }
    return this.#idOf('Registering', subject, text, (api) =>
      api.Subject.register({ subject, body, ...this.#normalize() }),
    )
  }

  /** The id of a schema that must be registered already. */
  lookup(subject: string, text: string): Promise<number> {
    const body = { schema: text }
    return this.#idOf('Looking up', subject, text, (api) =>
      api.Subject.registered({ subject, body, ...this.#normalize() }),
    )
  }

  latest(subject: string): Promise<StoredSchema> {
    return this.#once(`latest ${subject}`, async () => {
      const what = `The latest schema of subject "${subject}"`
      return stored(await this.#call(what, (api) => api.Subject.latestVersion({ subject })), what)
    })
  }

  referenced({ subject, version }: SchemaReference): Promise<StoredSchema> {
    return this.#once(`version ${version} ${subject}`, async () => {
      const what = `Version ${version} of subject "${subject}"`
      return stored(
        await this.#call(what, (api) => api.Subject.version({ subject, version })),
        what,
      )
    })
  }

  /** Ends waits and connections; what is under way rejects. */
  close(): void {
    this.#closing.abort(new ConnectError('The converter is closed.'))
    this.#transport.close()
  }

  #normalize(): { normalize?: true } {
    return this.#options.normalize ? { normalize: true } : {}
  }

  async #idOf(
    verb: string,
    subject: string,
    text: string,
    request: (api: Calls) => ReturnType<Request>,
  ): Promise<number> {
    const found = await this.#once(`${verb} ${subject} ${text}`, async () => {
      const what = `${verb} a schema under subject "${subject}"`
      const answer = await this.#call(what, request, text)
      return { id: idIn(answer, what), text, references: [] }
    })
    return found.id
  }

  /** One request at a time for one thing, and none for a while after it was found missing. */
  #once(key: string, ask: () => Promise<StoredSchema>): Promise<StoredSchema> {
    const absent = this.#absent.get(key)
    if (absent !== undefined) {
      if (this.#context.clock.now() < absent.untilMs) return Promise.reject(absent.error)
      this.#absent.delete(key)
    }
    const running = this.#inFlight.get(key)
    if (running !== undefined) return running
    const started = this.#remember(key, ask)
    this.#inFlight.set(key, started)
    return started
  }

  async #remember(key: string, ask: () => Promise<StoredSchema>): Promise<StoredSchema> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof DataError) {
        if (this.#absent.size >= ABSENT_MAX) this.#absent.clear()
        this.#absent.set(key, { error, untilMs: this.#context.clock.now() + ABSENT_MS })
      }
      throw error
    } finally {
      this.#inFlight.delete(key)
    }
  }

  async #call(
    what: string,
    request: (api: Calls) => ReturnType<Request>,
    text?: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { clock, log, onRetrying } = this.#context
    for (let attempt = 0; ; attempt++) {
      try {
        const data = (await this.#everywhere(request)).data()
        if (attempt > 0) onRetrying?.(null)
        return isObject(data) ? data : {}
      } catch (error) {
        const failure = classify(error, what, text)
        const spent = attempt >= this.#options.retries || this.#closing.signal.aborted
        if (!(failure instanceof RetriableError) || spent) {
          if (attempt > 0) onRetrying?.(null)
          throw failure
        }
        const waitMs = this.#waitMs(attempt, failure)
        const fields = { attempt: attempt + 1, waitMs, reason: failure.message }
        log.warn(fields, 'The schema registry does not answer. Trying again.')
        onRetrying?.(failure.message)
        await clock.sleep(waitMs, this.#closing.signal)
      }
    }
  }

  /** Asks one address after the other, beginning with the one that answered last. */
  async #everywhere(request: (api: Calls) => ReturnType<Request>): ReturnType<Request> {
    let failure: unknown
    for (let i = 0; i < this.#calls.length; i++) {
      const index = (this.#preferred + i) % this.#calls.length
      const api = this.#calls[index]
      if (api === undefined) break
      try {
        const answer = await request(api)
        this.#preferred = index
        return answer
      } catch (error) {
        failure = error
        if (!isPassing(error)) break
      }
    }
    throw failure
  }

  #waitMs(attempt: number, failure: RetriableError): number {
    const { retryWaitMs, retryWaitMsMax } = this.#options
    const full = Math.min(retryWaitMs * 2 ** Math.min(attempt, 30), retryWaitMsMax)
    // Half of it at random, so that tasks that failed together do not come back together.
    const jittered = Math.round(full * (0.5 + this.#context.random() / 2))
    return Math.max(jittered, Math.min(failure.retryAfterMs ?? 0, retryWaitMsMax))
  }
}

const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429])

const isPassing = (error: unknown): boolean =>
  error instanceof RegistryCallError &&
  (error.status === undefined || error.status >= 500 || PASSING_STATUSES.has(error.status))

/** The one place that turns a failed call into an error of the contract. */
function classify(error: unknown, what: string, text: string | undefined): ConnectError {
  if (error instanceof ConnectError) return error
  if (!(error instanceof RegistryCallError)) {
    return new ConnectError(`${what}: the request to the schema registry failed.`, { cause: error })
  }
  if (isPassing(error)) {
    const options = {
      cause: error,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    }
    return new RetriableError(`${what}: the schema registry failed: ${error.message}`, options)
  }
  const code = error.errorCode ?? error.status
  if (error.status === 401 || error.status === 403) {
    return new ConnectError(
      `${what}: the schema registry refuses the credentials: ${error.message} (${code})`,
      { cause: error },
    )
  }
  const schema = text === undefined ? '' : ` The schema: ${shorten(text)}`
  return new DataError(`${what}: ${error.message} (${code}).${schema}`, { cause: error })
}

const TEXT_SHOWN_MAX = 2_000
const shorten = (text: string): string =>
  text.length > TEXT_SHOWN_MAX ? `${text.slice(0, TEXT_SHOWN_MAX)}…` : text

function idIn(answer: Readonly<Record<string, unknown>>, what: string): number {
  const { id } = answer
  if (typeof id === 'number' && Number.isInteger(id)) return id
  throw new ConnectError(`${what}: the schema registry answered without an id.`)
}

function stored(answer: Readonly<Record<string, unknown>>, what: string): StoredSchema {
  const { schema, schemaType, references } = answer
  const id = idIn(answer, what)
  if (schemaType !== undefined && schemaType !== 'AVRO') {
    throw new DataError(`${what} is not Avro but ${JSON.stringify(schemaType)}.`)
  }
  if (typeof schema !== 'string') {
    throw new ConnectError(`${what}: the schema registry answered without a schema.`)
  }
  return {
    id,
    text: schema,
    references: Array.isArray(references) ? (references as readonly SchemaReference[]) : [],
  }
}
