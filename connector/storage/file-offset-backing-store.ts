import { mkdir, open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { ConnectError, toMessage } from '../api/errors.ts'
import { decodeJavaHashMap, encodeJavaHashMap } from './java-hash-map.ts'
import { applyChanges, type OffsetBackingStore } from './offset-backing-store.ts'

/**
 * Keeps offsets in one file in the format of Kafka Connect's FileOffsetBackingStore, so that it can be
 * taken from and given back to the JVM. Written as a whole, to another name first: after a crash the file is
 * either the old or the new one.
 */
export class FileOffsetBackingStore implements OffsetBackingStore {
  readonly #file: string
  #values = new Map<string, string>()
  #writing: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  async start(): Promise<void> {
    let bytes: Buffer
    try {
      bytes = await readFile(this.#file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw new ConnectError(`Cannot read the offsets file ${this.#file}: ${toMessage(error)}`, {
        cause: error,
      })
    }
    if (bytes.length === 0) return
    try {
      this.#values = decodeJavaHashMap(bytes)
    } catch (error) {
      throw new ConnectError(`The offsets file ${this.#file} is damaged: ${toMessage(error)}`, {
        cause: error,
      })
    }
  }

  entries(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#values))
  }

  set(changes: ReadonlyMap<string, string | null>): Promise<void> {
    const write = this.#writing.then(() => this.#apply(changes))
    this.#writing = write.catch(() => {}) // The caller has the error; the next write starts afresh.
    return write
  }

  async stop(): Promise<void> {
    await this.#writing
  }

  async #apply(changes: ReadonlyMap<string, string | null>): Promise<void> {
    const values = new Map(this.#values)
    applyChanges(values, changes)
    await this.#save(values)
    this.#values = values
  }

  async #save(values: ReadonlyMap<string, string>): Promise<void> {
    const temporary = `${this.#file}.tmp`
    try {
      await mkdir(path.dirname(this.#file), { recursive: true })
      const handle = await open(temporary, 'w', 0o600)
      try {
        await handle.writeFile(encodeJavaHashMap(values))
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary, this.#file)
    } catch (error) {
      throw new ConnectError(`Cannot write the offsets file ${this.#file}: ${toMessage(error)}`, {
        cause: error,
      })
    }
  }
}
