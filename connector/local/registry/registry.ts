// What can be asked of the registry, without HTTP: see Confluent's API reference for each operation.
import type { Clock } from '../../api/clock.ts'
import type { ChangeLog } from './change-log.ts'
import { incompatibilitiesAt, reachOf, type CompatibilityLevel } from './compatibility-level.ts'
import { describeIncompatibilities } from './incompatibility-text.ts'
import {
  incompatible,
  invalidSchema,
  operationNotPermitted,
  referenceExists,
  schemaNotFound,
  subjectNotFound,
  subjectNotSoftDeleted,
  subjectSoftDeleted,
  versionNotFound,
  versionNotSoftDeleted,
  versionSoftDeleted,
} from './registry-error.ts'
import { parseStored, readContent } from './schema-text.ts'
import type { AvroSchema } from './avro-schema.ts'
import type {
  Change,
  Config,
  Mode,
  RegistryStore,
  SchemaContent,
  StoredSchema,
  StoredVersion,
} from './store.ts'
import { joinSubject, splitSubject } from './subject-name.ts'

export const DEFAULT_LEVEL: CompatibilityLevel = 'BACKWARD'
export const DEFAULT_MODE: Mode = 'READWRITE'

/** A request to register: `id` and `version` only under IMPORT. */
export interface Registration {
  readonly content: SchemaContent
  readonly id: number | undefined
  readonly version: number | undefined
  readonly normalize: boolean
}
/** A number, or the newest one that is not deleted. */
export type VersionSpec = number | 'latest'

interface Read {
  readonly content: SchemaContent
  readonly avro: AvroSchema | undefined
}

export class Registry {
  readonly store: RegistryStore
  readonly #log: ChangeLog
  readonly #clock: Clock
  /** Changes happen one after the other, each checked against what the one before has made. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: RegistryStore, log: ChangeLog, clock: Clock) {
    this.store = store
    this.#log = log
    this.#clock = clock
  }

  /** Waits for the change under way, then closes the log. */
  async close(): Promise<void> {
    await this.#last
    await this.#log.close()
  }

  register(subject: string, registration: Registration): Promise<StoredVersion> {
    return this.#exclusively(async () => {
      const { context } = splitSubject(subject)
      const normalize = registration.normalize || this.configInScope(subject).normalize === true
      const parsing = { store: this.store, context }
      const read = readContent(registration.content, parsing, normalize)
      const { id, version } = registration
      const existing = this.#find(subject, read.content, false)
      if (existing !== undefined && (id === undefined || id === existing.stored.id)) return existing
      this.#checkMayRegister(subject, id)
      if (this.modeInScope(subject) !== 'IMPORT') this.#checkCompatible(subject, read)
      const stored = this.store.versions(subject)
      const next = (stored.at(-1)?.version ?? 0) + 1
      if (version !== undefined && id === undefined && version !== next) {
        throw invalidSchema('Version is not one more than previous version')
      }
      const change: Change = {
        kind: 'register',
        subject,
        version: version ?? next,
        id: this.#idFor(context, read.content, id),
        ts: this.#clock.now(),
        ...read.content,
      }
      await this.#commit(change)
      return this.#existing(subject, change.version)
    })
  }

  /** The version of a subject that has this schema. */
  lookup(
    subject: string,
    content: SchemaContent,
    options: { readonly deleted: boolean; readonly normalize: boolean },
  ): StoredVersion {
    const { context } = splitSubject(subject)
    const parsing = { store: this.store, context }
    const read = readContent(content, parsing, options.normalize)
    this.#visibleVersions(subject, options.deleted)
    const found = this.#find(subject, read.content, options.deleted)
    if (found === undefined) throw schemaNotFound()
    return found
  }

  versions(subject: string, deleted: boolean): readonly StoredVersion[] {
    return this.#visibleVersions(subject, deleted)
  }

  version(subject: string, spec: VersionSpec, deleted: boolean): StoredVersion {
    const visible = this.#visibleVersions(subject, deleted)
    const found =
      spec === 'latest' ? visible.at(-1) : visible.find(({ version }) => version === spec)
    if (found === undefined) throw versionNotFound(spec)
    return found
  }

  /** What is wrong with a schema against one version, or all that the subject's level is about. */
  checkCompatibility(
    subject: string,
    spec: VersionSpec | undefined,
    given: { readonly content: SchemaContent; readonly normalize: boolean },
  ): readonly string[] {
    const previous = this.store.versions(subject).filter(({ deleted }) => !deleted)
    const { context } = splitSubject(subject)
    const level = this.levelInScope(subject)
    const one = previous.find(({ version }) => version === spec)
    if (typeof spec === 'number' && one === undefined) throw versionNotFound(spec)
    const read = readContent(given.content, { store: this.store, context }, given.normalize)
    if (level === 'NONE') return []
    const latest = previous.slice(-1)
    const against =
      one === undefined ? (spec === 'latest' ? latest : reachOf(level, previous)) : [one]
    return this.#problems(level, read, against)
  }

  deleteSubject(subject: string, permanent: boolean): Promise<readonly number[]> {
    return this.#exclusively(async () => {
      const all = this.store.versions(subject)
      const live = all.filter(({ deleted }) => !deleted)
      if (all.length === 0) throw subjectNotFound(subject)
      if (permanent && live.length > 0) throw subjectNotSoftDeleted(subject)
      if (!permanent && live.length === 0) throw subjectSoftDeleted(subject)
      this.#checkMayDelete(subject)
      const gone = permanent ? all : live
      for (const { version } of gone) this.#checkUnreferenced(subject, version)
      const versions = gone.map(({ version }) => version)
      await this.#commit({ kind: 'delete', subject, versions, permanent })
      if (!permanent) await this.#forgetSettings(subject)
      return versions
    })
  }

  deleteVersion(subject: string, spec: VersionSpec, permanent: boolean): Promise<number> {
    return this.#exclusively(async () => {
      const all = this.store.versions(subject)
      if (all.length === 0) throw subjectNotFound(subject)
      const live = all.filter(({ deleted }) => !deleted)
      const found = spec === 'latest' ? live.at(-1) : all.find(({ version }) => version === spec)
      if (found === undefined) throw versionNotFound(spec)
      const { version, deleted } = found
      if (permanent && !deleted) throw versionNotSoftDeleted(subject, version)
      if (!permanent && deleted) throw versionSoftDeleted(subject, version)
      this.#checkMayDelete(subject)
      this.#checkUnreferenced(subject, version)
      await this.#commit({ kind: 'delete', subject, versions: [version], permanent })
      if (!permanent && live.length === 1) await this.#forgetSettings(subject)
      return version
    })
  }

  setConfig(subject: string | null, config: Config): Promise<void> {
    return this.#exclusively(async () => {
      const merged = { ...this.store.config(subject), ...config }
      if (Object.keys(config).length === 0) return
      await this.#commit({ kind: 'config', subject, config: merged })
    })
  }

  /** What was set before. Throws 40401 for a subject that has no setting of its own. */
  deleteConfig(subject: string | null): Promise<Config> {
    return this.#exclusively(async () => {
      const old = this.store.config(subject)
      if (subject !== null && old === undefined) throw subjectNotFound(subject)
      if (old !== undefined) await this.#commit({ kind: 'config', subject, config: null })
      return old ?? { compatibility: DEFAULT_LEVEL }
    })
  }

  setMode(subject: string | null, mode: Mode, force: boolean): Promise<void> {
    return this.#exclusively(async () => {
      const subjects = subject === null ? this.store.subjects() : [subject]
      const used = subjects.some((each) =>
        this.store.versions(each).some(({ deleted }) => !deleted),
      )
      if (mode === 'IMPORT' && !force && used && this.modeInScope(subject) !== 'IMPORT') {
        throw operationNotPermitted('Cannot import since found existing subjects')
      }
      await this.#commit({ kind: 'mode', subject, mode })
    })
  }

  deleteMode(subject: string | null): Promise<Mode> {
    return this.#exclusively(async () => {
      const old = this.store.mode(subject)
      if (subject !== null && old === undefined) throw subjectNotFound(subject)
      if (old !== undefined) await this.#commit({ kind: 'mode', subject, mode: null })
      return old ?? DEFAULT_MODE
    })
  }

  configInScope(subject: string | null): Config {
    return scopes(subject)
      .toReversed()
      .reduce<Config>((config, scope) => ({ ...config, ...this.store.config(scope) }), {
        compatibility: DEFAULT_LEVEL,
      })
  }

  levelInScope(subject: string): CompatibilityLevel {
    return this.configInScope(subject).compatibility ?? DEFAULT_LEVEL
  }

  modeInScope(subject: string | null): Mode {
    for (const scope of scopes(subject)) {
      const mode = this.store.mode(scope)
      if (mode !== undefined) return mode
    }
    return DEFAULT_MODE
  }

  #exclusively<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change)
    this.#last = result.catch(() => undefined) // The caller of this change is told; the next one starts afresh.
    return result
  }

  async #commit(change: Change): Promise<void> {
    await this.#log.append(change)
    this.store.apply(change)
  }

  #existing(subject: string, version: number): StoredVersion {
    const found = this.store.version(subject, version)
    if (found === undefined) throw versionNotFound(version)
    return found
  }

  #visibleVersions(subject: string, deleted: boolean): readonly StoredVersion[] {
    const visible = this.store.versions(subject).filter((each) => deleted || !each.deleted)
    if (visible.length === 0) throw subjectNotFound(subject)
    return visible
  }

  #find(subject: string, content: SchemaContent, deleted: boolean): StoredVersion | undefined {
    const id = this.store.idOf(splitSubject(subject).context, content)
    return this.store
      .versions(subject)
      .findLast((each) => each.stored.id === id && (deleted || !each.deleted))
  }

  #idFor(context: string, content: SchemaContent, given: number | undefined): number {
    const known: StoredSchema | undefined =
      given === undefined ? undefined : this.store.byId(context, given)
    if (given === undefined) {
      return this.store.idOf(context, content) ?? this.store.highestId(context) + 1
    }
    if (known !== undefined && this.store.idOf(context, content) !== given) {
      throw operationNotPermitted(`Overwrite new schema with id ${given} is not permitted.`)
    }
    return given
  }

  #checkMayRegister(subject: string, id: number | undefined): void {
    const mode = this.modeInScope(subject)
    const { context } = splitSubject(subject)
    const who = `Subject ${subject} in context ${context}`
    if (mode.startsWith('READONLY')) throw operationNotPermitted(`${who} is in read-only mode`)
    if (id !== undefined && mode !== 'IMPORT') {
      throw operationNotPermitted(`${who} is not in import mode`)
    }
    if (id === undefined && mode !== 'READWRITE') {
      throw operationNotPermitted(`${who} is not in read-write mode`)
    }
  }

  #checkMayDelete(subject: string): void {
    if (!this.modeInScope(subject).startsWith('READONLY')) return
    const { context } = splitSubject(subject)
    throw operationNotPermitted(`Subject ${subject} in context ${context} is in read-only mode`)
  }

  #checkUnreferenced(subject: string, version: number): void {
    if (this.store.referrers(subject, version).length > 0) throw referenceExists(subject, version)
  }

  #checkCompatible(subject: string, read: Read): void {
    const level = this.levelInScope(subject)
    const previous = this.store.versions(subject).filter(({ deleted }) => !deleted)
    const problems = this.#problems(level, read, reachOf(level, previous))
    if (problems.length > 0) throw incompatible(subject, problems)
  }

  /** The messages about the first of `against` that does not fit. */
  #problems(
    level: CompatibilityLevel,
    { avro, content }: Read,
    against: readonly StoredVersion[],
  ): readonly string[] {
    for (const old of against) {
      if (isSameContent(content, old.stored)) continue
      if (avro === undefined || old.stored.schemaType !== 'AVRO') {
        return [
          `{errorType:'SCHEMA_TYPE', description:'This registry compares Avro schemas only; ${content.schemaType} after ${old.stored.schemaType} needs the level NONE'}`,
        ]
      }
      const { context } = splitSubject(old.subject)
      const previous = parseStored(old.stored, { store: this.store, context })
      const found = incompatibilitiesAt(level, avro, previous)
      if (found.length > 0) return describeIncompatibilities(found, old, level)
    }
    return []
  }

  /** The settings of a subject go when its last version is deleted, softly, as in Confluent's registry (deleteSubject, deleteSchemaVersion). */
  async #forgetSettings(subject: string): Promise<void> {
    if (this.store.config(subject) !== undefined) {
      await this.#commit({ kind: 'config', subject, config: null })
    }
    if (this.store.mode(subject) !== undefined) {
      await this.#commit({ kind: 'mode', subject, mode: null })
    }
  }
}

/** One text means different schemas with other references. */
const isSameContent = (a: SchemaContent, b: SchemaContent): boolean =>
  a.schema === b.schema &&
  a.schemaType === b.schemaType &&
  JSON.stringify(a.references) === JSON.stringify(b.references)

/** Where a setting of a subject may come from, nearest first. */
function scopes(subject: string | null): readonly (string | null)[] {
  if (subject === null) return [null]
  const { context, name } = splitSubject(subject)
  const ofContext = joinSubject(context, '')
  return ofContext === '' || name === '' ? [subject, null] : [subject, ofContext, null]
}
