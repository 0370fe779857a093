// catalog.json: which databases and schemas there are. Tables are what their folders say.
import fs from 'node:fs/promises'
import path from 'node:path'
import { ConnectError } from '../../api/errors.ts'
import { isCode, replaceFile } from './durable-files.ts'

const LAYOUT = 1
const FILE = 'catalog.json'

interface CatalogJson {
  readonly layout: number
  readonly databases: Readonly<Record<string, { readonly schemas: readonly string[] }>>
}

/** Databases and their schemas, in memory and on the disk. Not for concurrent changes. */
export class Catalog {
  readonly #folder: string
  readonly #uuid: () => string
  #databases: ReadonlyMap<string, readonly string[]>

  private constructor(
    folder: string,
    uuid: () => string,
    databases: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#folder = folder
    this.#uuid = uuid
    this.#databases = databases
  }

  /** Reads the folder's catalog, or makes an empty one in an empty folder. */
  static async open(folder: string, uuid: () => string): Promise<Catalog> {
    const file = path.join(folder, FILE)
    let text: string
    try {
      text = await fs.readFile(file, 'utf8')
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
      const others = (await fs.readdir(folder)).filter((name) => !name.startsWith('.'))
      if (others.length > 0) {
        throw new ConnectError(
          `Expected an empty folder or a warehouse with a ${FILE} in ${folder}, got one with ${others.slice(0, 3).join(', ')}.`,
          { cause: error },
        )
      }
      const catalog = new Catalog(folder, uuid, new Map())
      await catalog.#save(new Map())
      return catalog
    }
    const json = JSON.parse(text) as CatalogJson
    if (json.layout !== LAYOUT) {
      throw new ConnectError(`Expected layout ${LAYOUT} in ${file}, got ${String(json.layout)}.`)
    }
    const databases = Object.entries(json.databases).map(
      ([name, { schemas }]) => [name, schemas] as const,
    )
    return new Catalog(folder, uuid, new Map(databases))
  }

  databases(): readonly string[] {
    return [...this.#databases.keys()]
  }

  schemas(database: string): readonly string[] {
    return this.#databases.get(database) ?? []
  }

  /** Replaces a database's schemas; undefined removes the database. */
  async set(database: string, schemas: readonly string[] | undefined): Promise<void> {
    const next = new Map(this.#databases)
    if (schemas === undefined) next.delete(database)
    else next.set(database, schemas)
    await this.#save(next)
  }

  async #save(databases: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const json: CatalogJson = {
      layout: LAYOUT,
      databases: Object.fromEntries([...databases].map(([name, schemas]) => [name, { schemas }])),
    }
    const file = path.join(this.#folder, FILE)
    await replaceFile(
      file,
      path.join(this.#folder, `.${FILE}.${this.#uuid()}`),
      JSON.stringify(json, null, 2),
    )
    this.#databases = databases
  }
}

const NAME_BYTES_MAX = 200

/** Throws unless the name can be a folder of the same name on every system, and nothing more than that. */
export function checkName(kind: string, name: string): void {
  if (
    !/^[\p{L}\p{N}_$-](?:[\p{L}\p{N}_$ -]*[\p{L}\p{N}_$-])?$/u.test(name) ||
    Buffer.byteLength(name) > NAME_BYTES_MAX ||
    name !== name.normalize('NFC')
  ) {
    throw new ConnectError(
      `Expected a ${kind} name of letters, digits, "_", "$", "-" and inner blanks, at most ${NAME_BYTES_MAX} bytes, got ${JSON.stringify(name)}.`,
    )
  }
}

/** Throws when one of the names differs from `name` in case only: query engines and some file systems hold them for one. */
export function checkUnique(kind: string, name: string, taken: Iterable<string>): void {
  for (const other of taken) {
    if (other.toLowerCase() === name.toLowerCase() && other !== name) {
      throw new ConnectError(
        `Expected a ${kind} name that differs from ${other} in more than case, got ${name}.`,
      )
    }
  }
}
