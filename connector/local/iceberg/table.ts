// One table: its current version in memory, and every write to it.
import path from 'node:path'
import type { Clock, Random } from '../../api/clock.ts'
import { ConnectError, RetriableError } from '../../api/errors.ts'
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import { pointHint, publishVersion, settleVersion } from './commit-protocol.ts'
import { chooseFiles } from './compaction.ts'
import { selectFromFiles } from './duck-sql.ts'
import { removeQuietly } from './durable-files.ts'
import {
  METADATA_FILES_KEPT,
  metadataFile,
  nextMetadata,
  schemaById,
  type SnapshotJson,
  snapshotInfo,
  type TableMetadata,
} from './metadata.ts'
import type { MeasuredFile } from './manifests.ts'
import type { ParquetEngine } from './parquet-engine.ts'
import { randomSnapshotId, randomUuid } from './random-ids.ts'
import { evolveSchema } from './schema-evolution.ts'
import { Serial } from './serial.ts'
import {
  dataFileName,
  type LoadedManifest,
  liveEntries,
  readManifest,
  readManifestList,
  schemaIdOf,
  writeSnapshot,
} from './snapshot-files.ts'
import { Sweeper } from './sweeper.ts'
import type {
  Commit,
  DataFile,
  IcebergStruct,
  IcebergTable,
  SchemaChange,
  SnapshotInfo,
  TableIdentifier,
  WarehouseOptions,
} from './types.ts'

const WRITES_WAITING_MAX = 1000

/** What tables share. */
export interface TableContext {
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  readonly engine: ParquetEngine
  readonly maintenance: WarehouseOptions['maintenance']
}

export interface TableState {
  readonly metadata: TableMetadata
  readonly version: number
  /** Of the current snapshot. */
  readonly manifests: readonly LoadedManifest[]
}

/** Implements `IcebergTable` on a folder that this process has locked. */
export class LocalTable implements IcebergTable {
  readonly identifier: TableIdentifier
  readonly #context: TableContext
  readonly #writes = new Serial(WRITES_WAITING_MAX)
  readonly #sweeper: Sweeper
  /** Written, not yet part of a version. */
  readonly #pending = new Set<string>()
  #state: TableState
  #compaction: Promise<void> | undefined
  #ended: string | undefined

  constructor(identifier: TableIdentifier, state: TableState, context: TableContext) {
    this.identifier = identifier
    this.#state = state
    this.#context = context
    this.#sweeper = new Sweeper(state.metadata.location, context.clock, context.maintenance)
  }

  get uuid(): string {
    return this.#state.metadata['table-uuid']
  }
  get location(): string {
    return this.#state.metadata.location
  }
  get schema(): IcebergStruct {
    const { fields } = schemaById(this.#state.metadata, this.schemaId)
    return { type: 'struct', fields }
  }
  get schemaId(): number {
    return this.#state.metadata['current-schema-id']
  }
  get properties(): Readonly<Record<string, string>> {
    return this.#state.metadata.properties
  }
  get version(): number {
    return this.#state.version
  }
  get snapshots(): readonly SnapshotInfo[] {
    return this.#state.metadata.snapshots.map(snapshotInfo)
  }

  currentSnapshot(): SnapshotInfo | undefined {
    const snapshot = this.#snapshot(this.#state.metadata['current-snapshot-id'])
    return snapshot === undefined ? undefined : snapshotInfo(snapshot)
  }

  async files(snapshotId?: number): Promise<readonly DataFile[]> {
    const entries = liveEntries(await this.#manifestsOf(snapshotId))
    return entries.map(({ file: { path: file, rows, bytes } }) => ({ path: file, rows, bytes }))
  }

  totalRows(): number {
    return this.#state.manifests.reduce(
      (sum, { file }) => sum + file.addedRows + file.existingRows,
      0,
    )
  }

  commit(commit: Commit): Promise<SnapshotInfo | undefined> {
    return this.#write(async () => {
      const { batch } = commit
      const properties = merged(this.properties, commit.properties ?? {})
      if (batch === undefined || batch.rows === 0) {
        await this.#publish({ properties }, this.#state.manifests)
        return undefined
      }
      const schema = schemaById(this.#state.metadata, this.schemaId)
      return this.#withDataFile(async (target) => {
        const file = await this.#context.engine.writeRows(batch, schema, target)
        const change = { added: [file], removed: new Set<string>() }
        const summary = commit.summary ?? {}
        return this.#snapshotCommit('append', change, { properties, summary })
      })
    })
  }

  updateSchema(changes: readonly SchemaChange[]): Promise<void> {
    return this.#write(async () => {
      const { metadata, manifests } = this.#state
      const current = schemaById(metadata, this.schemaId)
      const { fields, lastId } = evolveSchema(current, metadata['last-column-id'], changes)
      const id = 1 + Math.max(...metadata.schemas.map((schema) => schema['schema-id']))
      await this.#publish(
        {
          schemas: [...metadata.schemas, { type: 'struct', 'schema-id': id, fields }],
          'current-schema-id': id,
          'last-column-id': lastId,
        },
        manifests,
      )
    })
  }

  async scanSql(snapshotId?: number): Promise<string> {
    return this.#select(liveEntries(await this.#manifestsOf(snapshotId)).map(({ file }) => file))
  }

  async compact(): Promise<boolean> {
    if (this.#compaction !== undefined) return false
    const chosen = chooseFiles(
      liveEntries(this.#state.manifests).map(({ file }) => file),
      this.#context.maintenance,
    )
    if (chosen.length === 0) return false
    this.#compaction = this.#rewrite(chosen)
    try {
      await this.#compaction
      return true
    } finally {
      this.#compaction = undefined
    }
  }

  maintain(): Promise<void> {
    return this.#write(async () => {
      const { metadata, manifests } = this.#state
      if (metadata.snapshots.length > this.#context.maintenance.keepSnapshots) {
        await this.#publish({}, manifests)
      }
      await this.sweep(false)
    })
  }

  /** Deletes what no retained version needs. `opening`: nothing is known of when files became unneeded. */
  async sweep(opening: boolean): Promise<void> {
    const { metadata, version } = this.#state
    const removed = await this.#sweeper.sweep({
      metadata,
      version,
      opening,
      pending: this.#pending,
    })
    if (removed > 0) {
      this.#context.log.debug({ table: this.location, files: removed }, 'Deleted unneeded files.')
    }
  }

  metadata(): Readonly<Record<string, unknown>> {
    return this.#state.metadata as unknown as Readonly<Record<string, unknown>>
  }

  metadataLocation(): string {
    return metadataFile(this.location, this.#state.version)
  }

  /** Waits for writes under way and refuses later ones, saying that the table `was` dropped, say. */
  async end(was: string): Promise<void> {
    this.#ended = was
    await this.#compaction?.catch(() => {
      // Its caller has the error.
    })
    await this.#writes.idle()
  }

  /** Takes writes again: the drop that `end` was for did not happen. */
  resume(): void {
    this.#ended = undefined
  }

  #write<T>(job: () => Promise<T>): Promise<T> {
    return this.#writes.run(() => {
      if (this.#ended === undefined) return job()
      throw new ConnectError(
        `Expected a table to write to in ${this.location}, but it ${this.#ended}.`,
      )
    })
  }

  /**
   * Rewrites files as one, beside commits: only this takes files away, so they are still live when the new
   * file is ready, and rows that are committed meanwhile stay beside it.
   */
  #rewrite(chosen: readonly MeasuredFile[]): Promise<void> {
    return this.#withDataFile(async (target) => {
      const schema = schemaById(this.#state.metadata, this.schemaId)
      const file = await this.#context.engine.writeSelect(this.#select(chosen), schema, target)
      const rows = chosen.reduce((sum, { rows: count }) => sum + count, 0)
      if (file.rows !== rows) {
        await removeQuietly(target)
        throw new ConnectError(
          `Expected ${rows} rows in a compacted file of ${this.location}, got ${file.rows}; nothing was changed.`,
        )
      }
      const change = { added: [file], removed: new Set(chosen.map((old) => old.path)) }
      await this.#write(() =>
        this.#snapshotCommit('replace', change, { properties: this.properties, summary: {} }),
      )
    })
  }

  /** Gives a name for a new data file that no clean-up takes away before it is part of a version. */
  async #withDataFile<T>(job: (target: string) => Promise<T>): Promise<T> {
    const name = dataFileName(this.schemaId, randomUuid(this.#context.random))
    const target = path.join(this.location, 'data', name)
    this.#pending.add(target)
    try {
      return await job(target)
    } finally {
      this.#pending.delete(target)
    }
  }

  async #snapshotCommit(
    operation: SnapshotInfo['operation'],
    change: { readonly added: readonly MeasuredFile[]; readonly removed: ReadonlySet<string> },
    extras: {
      readonly properties: Readonly<Record<string, string>>
      readonly summary: Commit['summary']
    },
  ): Promise<SnapshotInfo> {
    const { metadata, manifests } = this.#state
    const files = change.added.map((file) => file.path)
    try {
      const parentId = metadata['current-snapshot-id']
      const draft = {
        folder: path.join(this.location, 'metadata'),
        snapshotId: randomSnapshotId(this.#context.random, metadata.snapshots),
        parentId: parentId === -1 ? null : parentId,
        sequenceNumber: metadata['last-sequence-number'] + 1,
        schema: schemaById(metadata, this.schemaId),
        uuid: () => randomUuid(this.#context.random),
      }
      const next = await writeSnapshot(draft, manifests, change)
      files.push(...next.written)
      const snapshot: SnapshotJson = {
        'snapshot-id': draft.snapshotId,
        ...(draft.parentId === null ? {} : { 'parent-snapshot-id': draft.parentId }),
        'sequence-number': draft.sequenceNumber,
        'timestamp-ms': Math.max(this.#context.clock.now(), metadata['last-updated-ms']),
        'manifest-list': next.listPath,
        summary: summaryOf(operation, change, { manifests, next: next.manifests }, extras.summary),
        'schema-id': this.schemaId,
      }
      await this.#publish(this.#withSnapshot(snapshot, extras.properties), next.manifests)
      return snapshotInfo(snapshot)
    } catch (error) {
      if (this.#state.metadata === metadata) await Promise.all(files.map(removeQuietly))
      if (error instanceof ConnectError) throw error
      throw new RetriableError(`A snapshot of ${this.location} could not be written.`, {
        cause: error,
      })
    }
  }

  #withSnapshot(
    snapshot: SnapshotJson,
    properties: Readonly<Record<string, string>>,
  ): Partial<TableMetadata> {
    const { metadata } = this.#state
    const id = snapshot['snapshot-id']
    return {
      properties,
      'last-sequence-number': snapshot['sequence-number'],
      'current-snapshot-id': id,
      refs: { main: { 'snapshot-id': id, type: 'branch' } },
      snapshots: [...metadata.snapshots, snapshot],
      'snapshot-log': [
        ...metadata['snapshot-log'],
        { 'timestamp-ms': snapshot['timestamp-ms'], 'snapshot-id': id },
      ],
    }
  }

  async #publish(
    changes: Partial<TableMetadata>,
    manifests: readonly LoadedManifest[],
  ): Promise<void> {
    const { clock, maintenance, random, log } = this.#context
    const version = this.#state.version + 1
    const metadata = nextMetadata(this.#state, changes, {
      nowMs: clock.now(),
      keepSnapshots: maintenance.keepSnapshots,
    })
    const publication = { metadata, version, unique: randomUuid(random) }
    await publishVersion(publication)
    // From here on everybody can see the version, so it is the current one whatever else fails.
    this.#state = { metadata, version, manifests }
    await settleVersion(publication)
    await pointHint(publication, log)
    await removeQuietly(metadataFile(this.location, version - METADATA_FILES_KEPT - 1))
  }

  #snapshot(id: number): SnapshotJson | undefined {
    return this.#state.metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === id)
  }

  async #manifestsOf(snapshotId: number | undefined): Promise<readonly LoadedManifest[]> {
    const { metadata, manifests } = this.#state
    if (snapshotId === undefined || snapshotId === metadata['current-snapshot-id']) return manifests
    const snapshot = this.#snapshot(snapshotId)
    if (snapshot === undefined) {
      throw new ConnectError(
        `Expected a snapshot that ${this.location} still has, got ${snapshotId}.`,
      )
    }
    return Promise.all((await readManifestList(snapshot['manifest-list'])).map(readManifest))
  }

  #select(files: readonly DataFile[]): string {
    const groups = new Map<number, string[]>()
    for (const { path: file } of files) {
      const id = schemaIdOf(file)
      const group = groups.get(id)
      if (group === undefined) groups.set(id, [file])
      else group.push(file)
    }
    return selectFromFiles(
      this.schema,
      [...groups].map(([id, paths]) => ({ schema: schemaById(this.#state.metadata, id), paths })),
    )
  }
}

function merged(
  properties: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const next = { ...properties }
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete next[key]
    else next[key] = value
  }
  return next
}

const total = (files: readonly DataFile[], key: 'rows' | 'bytes'): string =>
  String(files.reduce((sum, file) => sum + file[key], 0))

/** The counts that Iceberg's own libraries put into a snapshot's summary. */
function summaryOf(
  operation: SnapshotInfo['operation'],
  change: { readonly added: readonly MeasuredFile[]; readonly removed: ReadonlySet<string> },
  manifests: {
    readonly manifests: readonly LoadedManifest[]
    readonly next: readonly LoadedManifest[]
  },
  extra: Commit['summary'],
): Readonly<Record<string, string>> {
  const removed = liveEntries(manifests.manifests)
    .map(({ file }) => file)
    .filter((file) => change.removed.has(file.path))
  const live = liveEntries(manifests.next).map(({ file }) => file)
  return {
    ...extra,
    operation,
    'added-data-files': String(change.added.length),
    'added-records': total(change.added, 'rows'),
    'added-files-size': total(change.added, 'bytes'),
    ...(removed.length === 0
      ? {}
      : {
          'deleted-data-files': String(removed.length),
          'deleted-records': total(removed, 'rows'),
          'removed-files-size': total(removed, 'bytes'),
        }),
    'total-data-files': String(live.length),
    'total-records': total(live, 'rows'),
    'total-files-size': total(live, 'bytes'),
    'total-delete-files': '0',
    'total-position-deletes': '0',
    'total-equality-deletes': '0',
  }
}
