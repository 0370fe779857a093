// What the registry knows, in memory: made by replaying the changes of its log, and changed by them alone.
import { createHash } from 'node:crypto'
import type { CompatibilityLevel } from './compatibility-level.ts'
import { DEFAULT_CONTEXT, splitSubject } from './subject-name.ts'

export type SchemaType = 'AVRO' | 'JSON' | 'PROTOBUF'
export type Mode = 'READWRITE' | 'READONLY' | 'READONLY_OVERRIDE' | 'IMPORT' | 'FORWARD'

export interface Reference {
  readonly name: string
  readonly subject: string
  readonly version: number
}
/** A schema's text with all that makes it the same or another one. */
export interface SchemaContent {
  readonly schemaType: SchemaType
  readonly schema: string
  readonly references: readonly Reference[]
}
export interface StoredSchema extends SchemaContent {
  readonly id: number
  readonly guid: string
}
export interface StoredVersion {
  readonly subject: string
  readonly version: number
  readonly stored: StoredSchema
  readonly deleted: boolean
  /** When it was registered, milliseconds since the epoch. */
  readonly ts: number
}
export interface Config {
  readonly compatibility?: CompatibilityLevel
  readonly normalize?: boolean
}

/** `subject` null: for all. Subjects are in the form of `joinSubject`. */
export type Change =
  | (SchemaContent & {
      readonly kind: 'register'
      readonly subject: string
      readonly version: number
      readonly id: number
      readonly ts: number
    })
  | {
      readonly kind: 'delete'
      readonly subject: string
      readonly versions: readonly number[]
      readonly permanent: boolean
    }
  | { readonly kind: 'config'; readonly subject: string | null; readonly config: Config | null }
  | { readonly kind: 'mode'; readonly subject: string | null; readonly mode: Mode | null }
  /** Ids up to this one have been given out, also to schemas that are gone. */
  | { readonly kind: 'ids'; readonly context: string; readonly highestId: number }
  /** A schema whose version was imported over: records may still name its id. */
  | (SchemaContent & { readonly kind: 'schema'; readonly context: string; readonly id: number })

interface Context {
  readonly byId: Map<number, StoredSchema>
  readonly idOf: Map<string, number>
  /** Also of schemas that are gone: an id never means two schemas. */
  highestId: number
}
type Versions = Map<number, StoredVersion>

const identity = ({ schemaType, schema, references }: SchemaContent): string =>
  JSON.stringify([schemaType, schema, references.map((r) => [r.name, r.subject, r.version])])

export class RegistryStore {
  readonly #contexts = new Map<string, Context>()
  readonly #subjects = new Map<string, Versions>()
  readonly #configs = new Map<string | null, Config>()
  readonly #modes = new Map<string | null, Mode>()

  /** Applies a change that is on disk. */
  apply(change: Change): void {
    switch (change.kind) {
      case 'register':
        this.#register(change)
        return
      case 'delete':
        this.#delete(change.subject, change.versions, change.permanent)
        return
      case 'config':
        if (change.config === null) this.#configs.delete(change.subject)
        else this.#configs.set(change.subject, change.config)
        return
      case 'mode':
        if (change.mode === null) this.#modes.delete(change.subject)
        else this.#modes.set(change.subject, change.mode)
        return
      case 'ids': {
        const context = this.#context(change.context)
        context.highestId = Math.max(context.highestId, change.highestId)
        return
      }
      case 'schema':
        this.#keep(this.#context(change.context), change)
        return
      default:
        throw new Error('A change of a kind that this version does not know.')
    }
  }

  contexts(): readonly string[] {
    return [...new Set([DEFAULT_CONTEXT, ...this.#contexts.keys()])].sort()
  }

  subjects(): readonly string[] {
    return [...this.#subjects.keys()].sort()
  }

  /** Oldest first, soft-deleted ones too. */
  versions(subject: string): readonly StoredVersion[] {
    const versions = [...(this.#subjects.get(subject)?.values() ?? [])]
    return versions.sort((a, b) => a.version - b.version)
  }

  version(subject: string, version: number): StoredVersion | undefined {
    return this.#subjects.get(subject)?.get(version)
  }

  byId(context: string, id: number): StoredSchema | undefined {
    return this.#contexts.get(context)?.byId.get(id)
  }

  byGuid(guid: string): StoredSchema | undefined {
    for (const context of this.#contexts.values()) {
      for (const stored of context.byId.values()) if (stored.guid === guid) return stored
    }
    return undefined
  }

  highestId(context: string): number {
    return this.#contexts.get(context)?.highestId ?? 0
  }

  idOf(context: string, content: SchemaContent): number | undefined {
    return this.#contexts.get(context)?.idOf.get(identity(content))
  }

  /** Where an id is used, soft-deleted versions too. */
  uses(context: string, id: number): readonly StoredVersion[] {
    return this.subjects()
      .filter((subject) => splitSubject(subject).context === context)
      .flatMap((subject) => this.versions(subject).filter(({ stored }) => stored.id === id))
  }

  /** The versions, soft-deleted ones left out, whose schema refers to this one. */
  referrers(subject: string, version: number): readonly StoredVersion[] {
    return this.subjects().flatMap((each) =>
      this.versions(each).filter(
        ({ deleted, stored }) =>
          !deleted &&
          stored.references.some((ref) => ref.subject === subject && ref.version === version),
      ),
    )
  }

  config(subject: string | null): Config | undefined {
    return this.#configs.get(subject)
  }

  mode(subject: string | null): Mode | undefined {
    return this.#modes.get(subject)
  }

  /** The fewest changes that make this state from nothing. */
  snapshot(): readonly Change[] {
    const changes: Change[] = []
    for (const [context, { highestId, byId }] of this.#contexts) {
      changes.push({ kind: 'ids', context, highestId })
      for (const { id, schemaType, schema, references } of byId.values())
        if (this.uses(context, id).length === 0)
          changes.push({ kind: 'schema', context, id, schemaType, schema, references })
    }
    for (const subject of this.#subjects.keys()) changes.push(...this.#subjectSnapshot(subject))
    for (const [subject, config] of this.#configs) changes.push({ kind: 'config', subject, config })
    for (const [subject, mode] of this.#modes) changes.push({ kind: 'mode', subject, mode })
    return changes
  }

  #subjectSnapshot(subject: string): readonly Change[] {
    const versions = this.versions(subject)
    const registered = versions.map(({ version, stored, ts }): Change => {
      const { id, schemaType, schema, references } = stored
      return { kind: 'register', subject, version, id, schemaType, schema, references, ts }
    })
    const deleted = versions.filter((each) => each.deleted).map(({ version }) => version)
    if (deleted.length === 0) return registered
    return [...registered, { kind: 'delete', subject, versions: deleted, permanent: false }]
  }

  #context(name: string): Context {
    const context = this.#contexts.get(name) ?? newContext()
    this.#contexts.set(name, context)
    return context
  }

  #register(change: Extract<Change, { kind: 'register' }>): void {
    const { subject, version, id, schemaType, schema, references, ts } = change
    const { context: name } = splitSubject(subject)
    const context = this.#context(name)
    const stored = this.#keep(context, { id, schemaType, schema, references })
    const versions = this.#subjects.get(subject) ?? (new Map() as Versions)
    this.#subjects.set(subject, versions)
    versions.set(version, { subject, version, stored, deleted: false, ts })
  }

  #keep(
    context: Context,
    { id, schemaType, schema, references }: SchemaContent & { readonly id: number },
  ): StoredSchema {
    const content = { schemaType, schema, references }
    const stored = context.byId.get(id) ?? { ...content, id, guid: guidOf(content) }
    context.byId.set(id, stored)
    context.idOf.set(identity(content), id)
    context.highestId = Math.max(context.highestId, id)
    return stored
  }

  #delete(subject: string, numbers: readonly number[], permanent: boolean): void {
    const versions = this.#subjects.get(subject)
    for (const number of numbers) {
      const version = versions?.get(number)
      if (versions === undefined || version === undefined) continue
      if (!permanent) {
        versions.set(number, { ...version, deleted: true })
        continue
      }
      versions.delete(number)
      this.#forget(splitSubject(subject).context, version.stored)
    }
    if (versions?.size === 0) this.#subjects.delete(subject)
  }

  #forget(name: string, stored: StoredSchema): void {
    if (this.uses(name, stored.id).length > 0) return
    const context = this.#contexts.get(name)
    context?.byId.delete(stored.id)
    context?.idOf.delete(identity(stored))
  }
}

const newContext = (): Context => ({ byId: new Map(), idOf: new Map(), highestId: 0 })

/** A schema's name that is the same in all contexts and registries. */
function guidOf(content: SchemaContent): string {
  const hex = createHash('md5').update(identity(content)).digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
