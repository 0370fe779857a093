// What the warehouse's tables do not hold: views, and the objects of administration that are recorded without
// being enforced. One JSON file, replaced as a whole.
import fs from 'node:fs/promises'
import path from 'node:path'
import { ConnectError } from '../../../api/errors.ts'
import { isCode, replaceFile } from '../../iceberg/durable-files.ts'

/** A view: the query as it was written, to be run in the schema of the view. */
export interface StoredView {
  readonly database: string
  readonly schema: string
  readonly name: string
  /** The whole CREATE statement. */
  readonly text: string
  readonly query: string
  readonly columns: readonly string[]
  readonly secure: boolean
  readonly comment: string | undefined
  readonly createdMs: number
}

/** A role, warehouse, grant, tag, policy, …: `kind` as SHOW names one of it. */
export interface StoredObject {
  readonly kind: string
  readonly name: string
  readonly options: Readonly<Record<string, string>>
  readonly createdMs: number
  readonly owner: string
}

interface Stored {
  readonly views: readonly StoredView[]
  readonly objects: readonly StoredObject[]
}

const OBJECTS_MAX = 10_000

export interface ObjectName {
  readonly database: string
  readonly schema: string
  readonly name: string
}

/** Views and recorded objects. Changes come one after the other. */
export class SqlObjects {
  readonly #save: (text: string) => Promise<void>
  #stored: Stored

  private constructor(stored: Stored, save: (text: string) => Promise<void>) {
    this.#stored = stored
    this.#save = save
  }

  /** Kept in a file, which need not be there. */
  static async open(file: string): Promise<SqlObjects> {
    await fs.mkdir(path.dirname(file), { recursive: true })
    let text = '{"views":[],"objects":[]}'
    try {
      text = await fs.readFile(file, 'utf8')
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
    return new SqlObjects(JSON.parse(text) as Stored, (json) =>
      replaceFile(file, `${file}.new`, json),
    )
  }

  static inMemory(): SqlObjects {
    return new SqlObjects({ views: [], objects: [] }, () => Promise.resolve())
  }

  views(): readonly StoredView[] {
    return this.#stored.views
  }

  view(name: ObjectName): StoredView | undefined {
    return this.#stored.views.find((view) => isNamed(view, name))
  }

  async putView(view: StoredView): Promise<void> {
    await this.#change({
      ...this.#stored,
      views: [...this.#stored.views.filter((other) => !isNamed(other, view)), view],
    })
  }

  /** Drops the views that are chosen; answers how many those were. */
  async dropViews(which: (view: StoredView) => boolean): Promise<number> {
    const views = this.#stored.views.filter((view) => !which(view))
    const dropped = this.#stored.views.length - views.length
    if (dropped > 0) await this.#change({ ...this.#stored, views })
    return dropped
  }

  objects(kind: string): readonly StoredObject[] {
    return this.#stored.objects.filter((object) => object.kind === kind)
  }

  object(kind: string, name: string): StoredObject | undefined {
    return this.#stored.objects.find((object) => object.kind === kind && object.name === name)
  }

  async putObject(object: StoredObject): Promise<void> {
    const objects = this.#stored.objects.filter(
      ({ kind, name }) => kind !== object.kind || name !== object.name,
    )
    await this.#change({ ...this.#stored, objects: [...objects, object] })
  }

  async dropObject(kind: string, name: string): Promise<boolean> {
    const objects = this.#stored.objects.filter(
      (object) => object.kind !== kind || object.name !== name,
    )
    if (objects.length === this.#stored.objects.length) return false
    await this.#change({ ...this.#stored, objects })
    return true
  }

  async #change(stored: Stored): Promise<void> {
    if (stored.views.length + stored.objects.length > OBJECTS_MAX)
      throw new ConnectError(
        `Expected at most ${OBJECTS_MAX} views and recorded objects, got one more.`,
      )
    const before = this.#stored
    this.#stored = stored
    try {
      await this.#save(JSON.stringify(stored, null, 2))
    } catch (error) {
      this.#stored = before
      throw error
    }
  }
}

const isNamed = (view: ObjectName, { database, schema, name }: ObjectName): boolean =>
  view.database === database && view.schema === schema && view.name === name
