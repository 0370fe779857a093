// Deletes files of a table that no version on disk needs any more: compacted-away and expired ones, what a
// crash left behind, and what other programs left when their writes were refused.
import fs from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../../api/clock.ts'
import { isCode, removeQuietly } from './durable-files.ts'
import { DELETED } from './manifests.ts'
import type { TableMetadata } from './metadata.ts'
import { readEntries, readManifestList } from './snapshot-files.ts'
import type { WarehouseOptions } from './types.ts'

export interface Sweep {
  readonly metadata: TableMetadata
  readonly version: number
  /** Nothing is known of when files became unneeded: their age counts instead. */
  readonly opening: boolean
  /** Being written. */
  readonly pending: ReadonlySet<string>
}

/** Keeps track of one table's unneeded files. Only for the process that holds the warehouse's lock. */
export class Sweeper {
  readonly #location: string
  readonly #clock: Clock
  readonly #policy: WarehouseOptions['maintenance']
  /** When a file was first seen unneeded: readers that opened the table before may still open it. */
  readonly #unneededSince = new Map<string, number>()
  /** What manifests and manifest lists name: neither ever changes. */
  #named = new Map<string, readonly string[]>()

  constructor(location: string, clock: Clock, policy: WarehouseOptions['maintenance']) {
    this.#location = location
    this.#clock = clock
    this.#policy = policy
  }

  /** How many files it deleted. */
  async sweep(sweep: Sweep): Promise<number> {
    const needed = await this.#needed(sweep)
    const found = (
      await Promise.all(
        ['data', 'metadata'].map((name) => listFiles(path.join(this.#location, name))),
      )
    ).flat()
    const unneeded = found.filter((file) => !needed.has(file) && !sweep.pending.has(file))
    const gone = new Set(this.#unneededSince.keys())
    for (const file of unneeded) gone.delete(file)
    for (const file of gone) this.#unneededSince.delete(file)
    let deleted = 0
    for (const file of unneeded) {
      if (!(await this.#isOldEnough(file, sweep.opening))) continue
      await removeQuietly(file)
      this.#unneededSince.delete(file)
      deleted++
    }
    return deleted
  }

  async #isOldEnough(file: string, opening: boolean): Promise<boolean> {
    const { orphanMs, keepMs } = this.#policy
    const now = this.#clock.now()
    if (!opening) {
      const since = this.#unneededSince.get(file) ?? now
      this.#unneededSince.set(file, since)
      if (now - since < keepMs) return false
    }
    try {
      // A file's time has fractions of a millisecond.
      const age = now - Math.floor((await fs.stat(file)).mtimeMs)
      return age >= orphanMs && (!opening || age >= keepMs)
    } catch (error) {
      if (isCode(error, 'ENOENT')) return false
      throw error
    }
  }

  async #needed({ metadata, version }: Sweep): Promise<ReadonlySet<string>> {
    const folder = path.join(this.#location, 'metadata')
    const needed = new Set([path.join(folder, 'version-hint.text')])
    for (const entry of metadata['metadata-log']) needed.add(entry['metadata-file'])
    needed.add(path.join(folder, `v${version}.metadata.json`))
    const named = new Map<string, readonly string[]>()
    const add = async (file: string, read: () => Promise<readonly string[]>) => {
      const names = named.get(file) ?? this.#named.get(file) ?? (await read())
      named.set(file, names)
      needed.add(file)
      for (const name of names) needed.add(name)
      return names
    }
    for (const { 'manifest-list': list } of metadata.snapshots) {
      const manifests = await add(list, async () =>
        (await readManifestList(list)).map((file) => file.path),
      )
      for (const file of manifests) await add(file, () => dataFilesOf(file))
    }
    this.#named = named
    return needed
  }
}

/** A file that a manifest lists as deleted is live in an older snapshot's manifest, or needed no more. */
async function dataFilesOf(manifest: string): Promise<readonly string[]> {
  const entries = await readEntries(manifest)
  return entries.filter(({ status }) => status !== DELETED).map(({ file }) => file.path)
}

/** Every file below the folder, other programs' hidden ones too. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name))
}
