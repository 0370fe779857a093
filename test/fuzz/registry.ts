// npm run fuzz -- registry: random requests, whole and mutilated, against the local registry; each answer is compared with a
// model's, and so is everything the registry knows, also after it was started again.
import { type Random, seeded } from '../support/seeded-random.ts'
import { type Called, startTestRegistry, type TestRegistry } from '../support/registry.ts'
import { garbage } from './registry-garbage.ts'
import { LEVELS, type ModelSchema, RegistryModel, textOf } from './registry-model.ts'
import type { FuzzResult, FuzzRun } from './run.ts'

const SUBJECTS = ['a', 'b-value', 'c', 'with space', 'ünï']
const CASES_PER_START = 1_000
const VIOLATIONS_SHOWN = 20

/** @throws nothing: what is wrong is counted and said. */
export async function fuzzRegistry({ cases, seed, say }: FuzzRun): Promise<FuzzResult> {
  const session = new Session(await startTestRegistry(), seeded(seed), say)
  try {
    for (let each = 0; each < cases; each++) {
      await session.step(each)
      if (each % CASES_PER_START === CASES_PER_START - 1) await session.startAgain()
    }
    await session.compareAll(cases)
  } finally {
    await session.registry.remove()
  }
  const { violations, refused, starts } = session
  return {
    summary: `registry: ${cases} cases, ${starts} starts, ${refused} refused, ${violations} wrong`,
    violations,
  }
}

class Session {
  registry: TestRegistry
  violations = 0
  refused = 0
  starts = 1
  readonly #random: Random
  readonly #say: (text: string) => void
  readonly #model = new RegistryModel()
  #case = 0

  constructor(registry: TestRegistry, random: Random, say: (text: string) => void) {
    this.registry = registry
    this.#random = random
    this.#say = say
  }

  async step(index: number): Promise<void> {
    this.#case = index
    const subject = this.#random.pick(SUBJECTS)
    const steps = [
      () => this.#register(subject),
      () => this.#register(subject),
      () => this.#register(subject),
      () => this.#check(subject),
      () => this.#lookUp(subject),
      () => this.#readVersion(subject),
      () => this.#readId(),
      () => this.#deleteVersion(subject),
      () => this.#deleteSubject(subject),
      () => this.#level(subject),
      () => this.#mutilated(),
      () => this.#mutilated(),
    ]
    await this.#random.pick(steps)()
  }

  async startAgain(): Promise<void> {
    this.registry = await this.registry.restart()
    this.starts++
    await this.compareAll(this.#case)
  }

  /** Everything the registry tells without being asked for a name. */
  async compareAll(index: number): Promise<void> {
    this.#case = index
    const model = this.#model
    // What is mutilated may still be valid; its subjects are named for it.
    const { status, body } = await this.#call('GET', '/subjects')
    const subjects = (body as readonly string[]).filter((name) => !name.includes('garbage'))
    if (status !== 200 || JSON.stringify(subjects) !== JSON.stringify(model.names()))
      this.#wrong(
        'GET',
        '/subjects',
        `expected ${model.names().join(', ')}, got ${subjects.join(', ')}`,
      )
    for (const subject of SUBJECTS) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`
      const live = model.live(subject).map(({ version }) => version)
      if (live.length > 0) await this.#expect('GET', path, { status: 200, body: live })
      else await this.#expect('GET', path, { status: 404, code: 40401 })
    }
    for (const id of model.ids()) {
      const schema = model.schemaOf(id)
      const path = `/schemas/ids/${id}`
      if (schema === undefined) await this.#expect('GET', path, { status: 404, code: 40403 })
      else await this.#expect('GET', path, { status: 200, part: { schema } })
    }
  }

  async #register(subject: string): Promise<void> {
    const model = this.#model
    const schema = this.#schema()
    const text = textOf(schema)
    const path = `/subjects/${encodeURIComponent(subject)}/versions`
    const existing = model.find(subject, text)
    const body = { schema: text }
    if (existing !== undefined) {
      const { id } = existing
      await this.#expect('POST', path, { status: 200, part: { id } }, body)
    } else if (!model.isCompatible(subject, schema)) {
      await this.#expect('POST', path, { status: 409 }, body)
    } else {
      const answer = await this.#expect('POST', path, { status: 200 }, body)
      const id: unknown = answer.body?.id
      const problem = typeof id === 'number' ? model.idProblem(text, id) : 'there is no id'
      if (problem !== undefined || typeof id !== 'number') this.#wrong('POST', path, problem ?? '')
      else model.add(subject, schema, id)
    }
  }

  async #check(subject: string): Promise<void> {
    const schema = this.#schema()
    const isTransitive = this.#model.level(subject).endsWith('_TRANSITIVE')
    const version = isTransitive ? '' : '/latest'
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions${version}`
    // Without any version there is nothing to be incompatible with; only `latest` by name does not exist.
    const isAbsent = this.#model.live(subject).length === 0 && version !== ''
    const is_compatible = this.#model.isCompatible(subject, schema)
    const expected = isAbsent ? undefined : { status: 200, part: { is_compatible } }
    const answer = await this.#call('POST', path, { schema: textOf(schema) })
    if (expected !== undefined) this.#compare('POST', path, answer, expected)
    else if (answer.status !== 200 && answer.status !== 404) this.#unlike('POST', path, answer, 404)
  }

  async #lookUp(subject: string): Promise<void> {
    const schema = textOf(this.#schema())
    const path = `/subjects/${encodeURIComponent(subject)}`
    const found = this.#model.find(subject, schema)
    if (found !== undefined) {
      const part = { subject, version: found.version, id: found.id, schema }
      await this.#expect('POST', path, { status: 200, part }, { schema })
    } else {
      const code = this.#model.live(subject).length === 0 ? 40401 : 40403
      await this.#expect('POST', path, { status: 404, code }, { schema })
    }
  }

  async #readVersion(subject: string): Promise<void> {
    const live = this.#model.live(subject)
    const wanted = this.#random.chance(0.3) ? 'latest' : this.#random.int(1, 8)
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${wanted}`
    const found = wanted === 'latest' ? live.at(-1) : live.find((each) => each.version === wanted)
    if (found === undefined) {
      const code = live.length === 0 ? 40401 : 40402
      await this.#expect('GET', path, { status: 404, code })
    } else {
      const part = { subject, version: found.version, id: found.id, schema: found.text }
      await this.#expect('GET', path, { status: 200, part })
    }
  }

  async #readId(): Promise<void> {
    const id = this.#random.int(1, Math.max(5, ...this.#model.ids()) + 2)
    const schema = this.#model.schemaOf(id)
    const path = `/schemas/ids/${id}`
    // An id that the model does not know may be that of a mutilated schema which was still valid.
    const isOurs = schema !== undefined || this.#model.ids().includes(id)
    if (!isOurs) return
    if (schema === undefined) await this.#expect('GET', path, { status: 404, code: 40403 })
    else await this.#expect('GET', path, { status: 200, part: { schema } })
  }

  async #deleteVersion(subject: string): Promise<void> {
    const number = this.#random.int(1, 8)
    const isPermanent = this.#random.chance(0.4)
    const query = isPermanent ? '?permanent=true' : ''
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${number}${query}`
    const version = this.#model.all(subject).find((each) => each.version === number)
    const isReady = version !== undefined && version.isDeleted === isPermanent
    if (!isReady) {
      // Absent, live but to be removed for good, or soft-deleted a second time.
      await this.#expect('DELETE', path, { status: 404 })
      return
    }
    await this.#expect('DELETE', path, { status: 200, body: number })
    if (isPermanent) this.#model.removeForGood(subject, [number])
    else {
      version.isDeleted = true
      if (this.#model.live(subject).length === 0) this.#model.setLevel(subject, undefined)
    }
  }

  async #deleteSubject(subject: string): Promise<void> {
    const isPermanent = this.#random.chance(0.5)
    const path = `/subjects/${encodeURIComponent(subject)}${isPermanent ? '?permanent=true' : ''}`
    const live = this.#model.live(subject)
    const all = this.#model.all(subject)
    const isReady = isPermanent ? all.length > 0 && live.length === 0 : live.length > 0
    if (!isReady) {
      await this.#expect('DELETE', path, { status: 404 })
      return
    }
    const body = (isPermanent ? all : live).map(({ version }) => version)
    await this.#expect('DELETE', path, { status: 200, body })
    if (isPermanent) this.#model.removeForGood(subject, body)
    else {
      for (const version of all) version.isDeleted = true
      this.#model.setLevel(subject, undefined)
    }
  }

  async #level(subject: string): Promise<void> {
    const path = `/config/${encodeURIComponent(subject)}`
    if (this.#random.chance(0.3)) {
      const isSet = this.#model.ownLevel(subject) !== undefined
      await this.#expect('DELETE', path, { status: isSet ? 200 : 404 })
      this.#model.setLevel(subject, undefined)
      return
    }
    const level = this.#random.pick(LEVELS)
    const compatibility = this.#random.chance(0.2) ? level.toLowerCase() : level
    await this.#expect('PUT', path, { status: 200 }, { compatibility })
    this.#model.setLevel(subject, level)
    await this.#expect('GET', path, { status: 200, part: { compatibilityLevel: level } })
  }

  /** Nothing that cannot be understood may change anything, crash anything or be the server's fault. */
  async #mutilated(): Promise<void> {
    const { method, path, body } = garbage(this.#random)
    const answer = await this.#call(method, path, body)
    if (answer.status >= 500) this.#wrong(method, path, `answered ${answer.status}`)
    else if (answer.status >= 400) {
      this.refused++
      const { error_code: code, message } = answer.body ?? {}
      if (typeof code !== 'number' || typeof message !== 'string')
        this.#wrong(method, path, `an error without code and message: ${JSON.stringify(answer)}`)
    }
  }

  #schema(): ModelSchema {
    return ['x', 'y', 'z']
      .filter(() => this.#random.chance(0.6))
      .map((name) => ({
        name,
        type: this.#random.pick(['int', 'long', 'string'] as const),
        hasDefault: this.#random.chance(0.6),
      }))
  }

  async #call(method: string, path: string, body?: unknown): Promise<Called> {
    try {
      return await this.registry.call(method, path, body)
    } catch (error) {
      this.#wrong(method, path, `no answer: ${String(error)}`)
      return { status: 0, type: null, body: undefined }
    }
  }

  async #expect(method: string, path: string, expected: Expected, body?: unknown): Promise<Called> {
    const answer = await this.#call(method, path, body)
    this.#compare(method, path, answer, expected)
    return answer
  }

  #compare(method: string, path: string, answer: Called, expected: Expected): void {
    const { status, code, body, part } = expected
    const isRight =
      answer.status === status &&
      (code === undefined || answer.body?.error_code === code) &&
      (body === undefined || JSON.stringify(answer.body) === JSON.stringify(body)) &&
      Object.entries(part ?? {}).every(([name, value]) => answer.body?.[name] === value)
    if (!isRight) this.#unlike(method, path, answer, expected)
  }

  #unlike(method: string, path: string, answer: Called, expected: unknown): void {
    const got = JSON.stringify({ status: answer.status, body: answer.body as unknown })
    this.#wrong(method, path, `expected ${JSON.stringify(expected)}, got ${got}`)
  }

  #wrong(method: string, path: string, what: string): void {
    this.violations++
    if (this.violations <= VIOLATIONS_SHOWN)
      this.#say(`case ${this.#case}: ${method} ${path}: ${what}`)
  }
}

interface Expected {
  readonly status: number
  readonly code?: number
  /** The whole body. */
  readonly body?: unknown
  /** Members of the body. */
  readonly part?: Readonly<Record<string, unknown>>
}
