// Manifests (which data files) and manifest lists (which manifests make a snapshot), as bytes.
import { ConnectError } from '../../api/errors.ts'
import { decodeContainer, encodeContainer } from './avro.ts'
import { MANIFEST_ENTRY, MANIFEST_FILE } from './manifest-schemas.ts'
import type { DataFile } from './types.ts'

/** A data file with the metrics that let engines skip it. All maps go by field id. */
export interface MeasuredFile extends DataFile {
  readonly columnSizes: ReadonlyMap<number, number>
  readonly valueCounts: ReadonlyMap<number, number>
  readonly nullValueCounts: ReadonlyMap<number, number>
  readonly nanValueCounts: ReadonlyMap<number, number>
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>
  readonly upperBounds: ReadonlyMap<number, Uint8Array>
}

export const EXISTING = 0
export const ADDED = 1
export const DELETED = 2

export interface ManifestEntry {
  readonly status: typeof EXISTING | typeof ADDED | typeof DELETED
  readonly snapshotId: number
  /** Data sequence number; here always equal to the file's own, since no other operation keeps it. */
  readonly sequenceNumber: number
  readonly file: MeasuredFile
}

export interface ManifestFile {
  readonly path: string
  readonly length: number
  readonly sequenceNumber: number
  readonly minSequenceNumber: number
  readonly addedSnapshotId: number
  readonly addedFiles: number
  readonly existingFiles: number
  readonly deletedFiles: number
  readonly addedRows: number
  readonly existingRows: number
  readonly deletedRows: number
}

export const liveFiles = (manifest: ManifestFile): number =>
  manifest.addedFiles + manifest.existingFiles

/** `schema` is the JSON of the table schema that the manifest is written under. */
export function encodeManifest(
  entries: readonly ManifestEntry[],
  schema: { readonly 'schema-id': number },
): Buffer {
  const meta = {
    schema: JSON.stringify(schema),
    'schema-id': String(schema['schema-id']),
    'partition-spec': '[]',
    'partition-spec-id': '0',
    'format-version': '2',
    content: 'data',
  }
  const records = entries.map(({ status, snapshotId, sequenceNumber, file }) => ({
    status,
    snapshot_id: snapshotId,
    sequence_number: sequenceNumber,
    file_sequence_number: sequenceNumber,
    data_file: {
      content: 0,
      file_path: file.path,
      file_format: 'PARQUET',
      partition: {},
      record_count: file.rows,
      file_size_in_bytes: file.bytes,
      column_sizes: pairs(file.columnSizes),
      value_counts: pairs(file.valueCounts),
      null_value_counts: pairs(file.nullValueCounts),
      nan_value_counts: pairs(file.nanValueCounts),
      lower_bounds: pairs(file.lowerBounds),
      upper_bounds: pairs(file.upperBounds),
      sort_order_id: 0,
    },
  }))
  return encodeContainer(MANIFEST_ENTRY, meta, records)
}

export function decodeManifest(bytes: Uint8Array, path: string): readonly ManifestEntry[] {
  return decodeContainer(bytes).records.map((record) => {
    const data = record['data_file'] as Readonly<Record<string, unknown>>
    if (data['content'] !== 0 || data['file_format'] !== 'PARQUET') {
      throw new ConnectError(
        `Expected only Parquet data files in the manifest ${path}, got content ${String(data['content'])} in format ${String(data['file_format'])}: another program wrote to this table.`,
      )
    }
    return {
      status: integer(record['status'], path) as ManifestEntry['status'],
      snapshotId: integer(record['snapshot_id'], path),
      sequenceNumber: integer(record['sequence_number'], path),
      file: {
        path: data['file_path'] as string,
        rows: integer(data['record_count'], path),
        bytes: integer(data['file_size_in_bytes'], path),
        columnSizes: fromPairs<number>(data['column_sizes']),
        valueCounts: fromPairs<number>(data['value_counts']),
        nullValueCounts: fromPairs<number>(data['null_value_counts']),
        nanValueCounts: fromPairs<number>(data['nan_value_counts']),
        lowerBounds: fromPairs<Uint8Array>(data['lower_bounds']),
        upperBounds: fromPairs<Uint8Array>(data['upper_bounds']),
      },
    }
  })
}

export function encodeManifestList(
  manifests: readonly ManifestFile[],
  snapshot: {
    readonly snapshotId: number
    readonly parentId: number | null
    readonly sequenceNumber: number
  },
): Buffer {
  const meta = {
    'snapshot-id': String(snapshot.snapshotId),
    'parent-snapshot-id': String(snapshot.parentId),
    'sequence-number': String(snapshot.sequenceNumber),
    'format-version': '2',
  }
  const records = manifests.map((m) => ({
    manifest_path: m.path,
    manifest_length: m.length,
    partition_spec_id: 0,
    content: 0,
    sequence_number: m.sequenceNumber,
    min_sequence_number: m.minSequenceNumber,
    added_snapshot_id: m.addedSnapshotId,
    added_files_count: m.addedFiles,
    existing_files_count: m.existingFiles,
    deleted_files_count: m.deletedFiles,
    added_rows_count: m.addedRows,
    existing_rows_count: m.existingRows,
    deleted_rows_count: m.deletedRows,
    partitions: [],
  }))
  return encodeContainer(MANIFEST_FILE, meta, records)
}

export function decodeManifestList(bytes: Uint8Array, path: string): readonly ManifestFile[] {
  return decodeContainer(bytes).records.map((record) => {
    if (record['content'] !== 0) {
      throw new ConnectError(
        `Expected only data manifests in ${path}, got content ${String(record['content'])}: another program deleted rows of this table.`,
      )
    }
    return {
      path: record['manifest_path'] as string,
      length: integer(record['manifest_length'], path),
      sequenceNumber: integer(record['sequence_number'], path),
      minSequenceNumber: integer(record['min_sequence_number'], path),
      addedSnapshotId: integer(record['added_snapshot_id'], path),
      addedFiles: integer(record['added_files_count'], path),
      existingFiles: integer(record['existing_files_count'], path),
      deletedFiles: integer(record['deleted_files_count'], path),
      addedRows: integer(record['added_rows_count'], path),
      existingRows: integer(record['existing_rows_count'], path),
      deletedRows: integer(record['deleted_rows_count'], path),
    }
  })
}

/** What a manifest list says of a manifest. */
export function summarize(
  entries: readonly ManifestEntry[],
  written: {
    readonly path: string
    readonly length: number
    readonly snapshotId: number
    readonly sequenceNumber: number
  },
): ManifestFile {
  const of = (status: ManifestEntry['status']) => entries.filter((e) => e.status === status)
  const rows = (list: readonly ManifestEntry[]) => list.reduce((sum, e) => sum + e.file.rows, 0)
  const live = entries.filter((e) => e.status !== DELETED)
  return {
    path: written.path,
    length: written.length,
    sequenceNumber: written.sequenceNumber,
    minSequenceNumber: live.reduce(
      (min, e) => Math.min(min, e.sequenceNumber),
      written.sequenceNumber,
    ),
    addedSnapshotId: written.snapshotId,
    addedFiles: of(ADDED).length,
    existingFiles: of(EXISTING).length,
    deletedFiles: of(DELETED).length,
    addedRows: rows(of(ADDED)),
    existingRows: rows(of(EXISTING)),
    deletedRows: rows(of(DELETED)),
  }
}

const pairs = <T>(map: ReadonlyMap<number, T>): readonly { key: number; value: T }[] =>
  [...map].toSorted(([a], [b]) => a - b).map(([key, value]) => ({ key, value }))

const fromPairs = <T>(value: unknown): ReadonlyMap<number, T> =>
  new Map(((value ?? []) as { key: number; value: T }[]).map((pair) => [pair.key, pair.value]))

function integer(value: unknown, path: string): number {
  if (typeof value === 'number') return value
  throw new ConnectError(
    `Expected integers below 2^53 in ${path}, got ${String(value)}: another program wrote to this table.`,
  )
}
