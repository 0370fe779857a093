// What a schema registry must answer, said a second time and as plainly as possible, for schemas that are small enough to
// decide by hand: records of fields that are int, long or string, with or without a default.

export type FieldType = 'int' | 'long' | 'string'
export interface ModelField {
  readonly name: string
  readonly type: FieldType
  readonly hasDefault: boolean
}
export type ModelSchema = readonly ModelField[]

export const LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const
export type Level = (typeof LEVELS)[number]

export interface ModelVersion {
  readonly version: number
  readonly id: number
  readonly text: string
  readonly schema: ModelSchema
  isDeleted: boolean
}

export function textOf(schema: ModelSchema): string {
  const fields = schema.map(({ name, type, hasDefault }) => ({
    name,
    type,
    ...(hasDefault && { default: type === 'string' ? '' : 0 }),
  }))
  return JSON.stringify({ type: 'record', name: 'R', fields })
}

/** Whether `reader` can read what `writer` wrote (Avro specification, schema resolution). */
function reads(reader: ModelSchema, writer: ModelSchema): boolean {
  return reader.every(({ name, type, hasDefault }) => {
    const written = writer.find((field) => field.name === name)
    if (written === undefined) return hasDefault
    return written.type === type || (written.type === 'int' && type === 'long')
  })
}

export class RegistryModel {
  readonly #subjects = new Map<string, ModelVersion[]>()
  readonly #idsEver = new Set<number>()
  readonly #levels = new Map<string, Level>()

  names(): readonly string[] {
    return [...this.#subjects.keys()].filter((name) => this.live(name).length > 0).sort()
  }

  all(subject: string): readonly ModelVersion[] {
    return this.#subjects.get(subject) ?? []
  }

  live(subject: string): readonly ModelVersion[] {
    return this.all(subject).filter(({ isDeleted }) => !isDeleted)
  }

  level(subject: string): Level {
    return this.#levels.get(subject) ?? 'BACKWARD'
  }

  ownLevel(subject: string): Level | undefined {
    return this.#levels.get(subject)
  }

  setLevel(subject: string, level: Level | undefined): void {
    if (level === undefined) this.#levels.delete(subject)
    else this.#levels.set(subject, level)
  }

  isCompatible(subject: string, schema: ModelSchema): boolean {
    const level = this.level(subject)
    const live = this.live(subject)
    const others = level.endsWith('_TRANSITIVE') ? live : live.slice(-1)
    const isBackward = level.startsWith('BACKWARD') || level.startsWith('FULL')
    const isForward = level.startsWith('FORWARD') || level.startsWith('FULL')
    return others.every(
      (other) =>
        (!isBackward || reads(schema, other.schema)) && (!isForward || reads(other.schema, schema)),
    )
  }

  find(subject: string, text: string): ModelVersion | undefined {
    return this.live(subject).find((version) => version.text === text)
  }

  /** What is wrong with the id that `text` got, if anything. */
  idProblem(text: string, id: number): string | undefined {
    for (const versions of this.#subjects.values()) {
      for (const version of versions) {
        if (version.text === text && version.id !== id)
          return `the schema has id ${version.id} already, got ${id}`
        if (version.text !== text && version.id === id) return `id ${id} is another schema's`
      }
    }
    const isKnown = [...this.#subjects.values()].flat().some((version) => version.text === text)
    return !isKnown && this.#idsEver.has(id) ? `id ${id} was given out before` : undefined
  }

  add(subject: string, schema: ModelSchema, id: number): number {
    const versions = this.#subjects.get(subject) ?? []
    this.#subjects.set(subject, versions)
    const version = Math.max(0, ...versions.map((each) => each.version)) + 1
    versions.push({ version, id, text: textOf(schema), schema, isDeleted: false })
    this.#idsEver.add(id)
    return version
  }

  removeForGood(subject: string, numbers: readonly number[]): void {
    const left = this.all(subject).filter(({ version }) => !numbers.includes(version))
    if (left.length === 0) this.#subjects.delete(subject)
    else this.#subjects.set(subject, left)
  }

  schemaOf(id: number): string | undefined {
    return [...this.#subjects.values()].flat().find((version) => version.id === id)?.text
  }

  ids(): readonly number[] {
    return [...this.#idsEver]
  }
}
