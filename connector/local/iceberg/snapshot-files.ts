// Which files make a snapshot: the manifests of the current one in memory, older ones from the disk.
import fs from 'node:fs/promises'
import path from 'node:path'
import { ConnectError } from '../../api/errors.ts'
import { writeNew } from './durable-files.ts'
import {
  ADDED,
  DELETED,
  decodeManifest,
  decodeManifestList,
  EXISTING,
  encodeManifest,
  encodeManifestList,
  liveFiles,
  type ManifestEntry,
  type ManifestFile,
  type MeasuredFile,
  summarize,
} from './manifests.ts'
import type { SchemaJson } from './metadata.ts'

/** A manifest and what stands in it. */
export interface LoadedManifest {
  readonly file: ManifestFile
  readonly entries: readonly ManifestEntry[]
}

/** The snapshot that is being written. */
export interface SnapshotDraft {
  readonly folder: string
  readonly snapshotId: number
  readonly parentId: number | null
  readonly sequenceNumber: number
  readonly schema: SchemaJson
  readonly uuid: () => string
}

/** Small manifests are merged once there are so many, so that a snapshot's list stays short. */
const MERGE_MANIFESTS = 20
/** A manifest with so many files is left alone: merging it again and again would cost more with every commit. */
const MERGE_ENTRIES_MAX = 500

const DATA_FILE = /^(\d+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.parquet$/

/** A data file's name carries the id of the schema that it was written under; nothing else in Iceberg records it. */
export const dataFileName = (schemaId: number, uuid: string): string =>
  `${schemaId}-${uuid}.parquet`

/** The id in a data file's name. Throws for a name that this warehouse does not give. */
export function schemaIdOf(file: string): number {
  const match = DATA_FILE.exec(path.basename(file))
  if (match !== null) return Number(match[1])
  throw new ConnectError(
    `Expected data files that this warehouse wrote, got ${file}: another program wrote to the table.`,
  )
}

export async function readManifestList(file: string): Promise<readonly ManifestFile[]> {
  return decodeManifestList(await fs.readFile(file), file)
}

export async function readManifest(file: ManifestFile): Promise<LoadedManifest> {
  return { file, entries: await readEntries(file.path) }
}

export async function readEntries(file: string): Promise<readonly ManifestEntry[]> {
  return decodeManifest(await fs.readFile(file), file)
}

/** The files of a snapshot that are there to be read. */
export const liveEntries = (manifests: readonly LoadedManifest[]): readonly ManifestEntry[] =>
  manifests.flatMap(({ entries }) => entries.filter(({ status }) => status !== DELETED))

export interface FileChange {
  readonly added: readonly MeasuredFile[]
  readonly removed: ReadonlySet<string>
}

/** Writes the manifests and the manifest list of a snapshot that follows `current`. Files are on the disk, folders are not yet. */
export async function writeSnapshot(
  draft: SnapshotDraft,
  current: readonly LoadedManifest[],
  change: FileChange,
): Promise<{
  readonly manifests: readonly LoadedManifest[]
  readonly listPath: string
  readonly written: readonly string[]
}> {
  const touches = ({ entries }: LoadedManifest): boolean =>
    change.removed.size > 0 &&
    entries.some((e) => e.status !== DELETED && change.removed.has(e.file.path))
  const live = current.filter(({ file }) => liveFiles(file) > 0)
  const small = live.filter(({ entries }) => entries.length < MERGE_ENTRIES_MAX)
  const merging = small.length + 1 >= MERGE_MANIFESTS ? new Set(small) : new Set<LoadedManifest>()
  const rewritten = live.filter((manifest) => merging.has(manifest) || touches(manifest))
  const kept = live.filter((manifest) => !rewritten.includes(manifest))
  const entries = [
    ...liveEntries(rewritten).map((entry) => carried(entry, draft, change)),
    ...change.added.map((file) => added(file, draft)),
  ]
  const fresh = entries.length === 0 ? [] : [await writeManifest(draft, entries)]
  const manifests = [...kept, ...fresh]
  const listPath = path.join(draft.folder, `snap-${draft.snapshotId}-${draft.uuid()}.avro`)
  await writeNew(
    listPath,
    encodeManifestList(
      manifests.map(({ file }) => file),
      draft,
    ),
  )
  return { manifests, listPath, written: [...fresh.map(({ file }) => file.path), listPath] }
}

const added = (file: MeasuredFile, draft: SnapshotDraft): ManifestEntry => ({
  status: ADDED,
  snapshotId: draft.snapshotId,
  sequenceNumber: draft.sequenceNumber,
  file,
})

const carried = (entry: ManifestEntry, draft: SnapshotDraft, change: FileChange): ManifestEntry =>
  change.removed.has(entry.file.path)
    ? { ...entry, status: DELETED, snapshotId: draft.snapshotId }
    : { ...entry, status: EXISTING }

async function writeManifest(
  draft: SnapshotDraft,
  entries: readonly ManifestEntry[],
): Promise<LoadedManifest> {
  const { folder, snapshotId, sequenceNumber } = draft
  const file = path.join(folder, `${draft.uuid()}-m0.avro`)
  const bytes = encodeManifest(entries, draft.schema)
  await writeNew(file, bytes)
  const summary = summarize(entries, {
    path: file,
    length: bytes.length,
    snapshotId,
    sequenceNumber,
  })
  return { file: summary, entries }
}
