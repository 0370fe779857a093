// metadata.json of an Iceberg v2 table (https://iceberg.apache.org/spec/#table-metadata-fields): the part
// that this warehouse writes, and the refusal to go on from anything else.
import path from 'node:path'
import { ConnectError } from '../../api/errors.ts'
import type { IcebergStruct, SnapshotInfo } from './types.ts'

export interface SchemaJson extends IcebergStruct {
  readonly 'schema-id': number
}

export interface SnapshotJson {
  readonly 'snapshot-id': number
  readonly 'parent-snapshot-id'?: number
  readonly 'sequence-number': number
  readonly 'timestamp-ms': number
  readonly 'manifest-list': string
  readonly summary: Readonly<Record<string, string>>
  readonly 'schema-id': number
}

export interface TableMetadata {
  readonly 'format-version': 2
  readonly 'table-uuid': string
  readonly location: string
  readonly 'last-sequence-number': number
  readonly 'last-updated-ms': number
  readonly 'last-column-id': number
  readonly 'current-schema-id': number
  readonly schemas: readonly SchemaJson[]
  readonly 'default-spec-id': number
  readonly 'partition-specs': readonly {
    readonly 'spec-id': number
    readonly fields: readonly unknown[]
  }[]
  readonly 'last-partition-id': number
  readonly 'default-sort-order-id': number
  readonly 'sort-orders': readonly {
    readonly 'order-id': number
    readonly fields: readonly unknown[]
  }[]
  readonly properties: Readonly<Record<string, string>>
  /** -1 without any snapshot, as Iceberg's Java library writes it. */
  readonly 'current-snapshot-id': number
  readonly refs: Readonly<
    Record<string, { readonly 'snapshot-id': number; readonly type: 'branch' }>
  >
  readonly snapshots: readonly SnapshotJson[]
  readonly statistics: readonly unknown[]
  readonly 'snapshot-log': readonly {
    readonly 'timestamp-ms': number
    readonly 'snapshot-id': number
  }[]
  readonly 'metadata-log': readonly {
    readonly 'timestamp-ms': number
    readonly 'metadata-file': string
  }[]
}

/** How many old vN.metadata.json stay listed and on disk. */
export const METADATA_FILES_KEPT = 100
const SNAPSHOT_LIST = /^snap-\d+-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.avro$/

export const metadataFile = (location: string, version: number): string =>
  path.join(location, 'metadata', `v${version}.metadata.json`)

/** The N of `vN.metadata.json`, or undefined for another file. */
export function versionOf(name: string): number | undefined {
  const match = /^v([1-9]\d{0,14})\.metadata\.json$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

export function newMetadata(table: {
  readonly uuid: string
  readonly location: string
  readonly schema: IcebergStruct
  readonly lastColumnId: number
  readonly properties: Readonly<Record<string, string>>
  readonly nowMs: number
}): TableMetadata {
  return {
    'format-version': 2,
    'table-uuid': table.uuid,
    location: table.location,
    'last-sequence-number': 0,
    'last-updated-ms': table.nowMs,
    'last-column-id': table.lastColumnId,
    'current-schema-id': 0,
    schemas: [{ type: 'struct', 'schema-id': 0, fields: table.schema.fields }],
    'default-spec-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    'last-partition-id': 999,
    'default-sort-order-id': 0,
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    properties: table.properties,
    'current-snapshot-id': -1,
    refs: {},
    snapshots: [],
    statistics: [],
    'snapshot-log': [],
    'metadata-log': [],
  }
}

/** The schema of that id. Throws when the table has none. */
export function schemaById(metadata: TableMetadata, id: number): SchemaJson {
  const schema = metadata.schemas.find((candidate) => candidate['schema-id'] === id)
  if (schema !== undefined) return schema
  const known = metadata.schemas.map((candidate) => candidate['schema-id']).join(', ')
  throw new ConnectError(`Expected a schema id of ${known} in ${metadata.location}, got ${id}.`)
}

export function snapshotInfo(snapshot: SnapshotJson): SnapshotInfo {
  const { operation, ...summary } = snapshot.summary
  return {
    snapshotId: snapshot['snapshot-id'],
    parentId: snapshot['parent-snapshot-id'] ?? null,
    sequenceNumber: snapshot['sequence-number'],
    timestampMs: snapshot['timestamp-ms'],
    operation: (operation ?? 'append') as SnapshotInfo['operation'],
    summary,
    schemaId: snapshot['schema-id'],
  }
}

/** The metadata after a change, as it is written to `version`. Snapshots beyond the newest `keepSnapshots` are left out. */
export function nextMetadata(
  current: { readonly metadata: TableMetadata; readonly version: number },
  changes: Partial<TableMetadata>,
  policy: { readonly nowMs: number; readonly keepSnapshots: number },
): TableMetadata {
  const { metadata, version } = current
  const next = { ...metadata, ...changes }
  // Iceberg's libraries refuse a table whose clock went back.
  const updatedMs = Math.max(policy.nowMs, metadata['last-updated-ms'])
  const snapshots = next.snapshots.slice(-Math.max(1, policy.keepSnapshots))
  const kept = new Set(snapshots.map((snapshot) => snapshot['snapshot-id']))
  return {
    ...next,
    'last-updated-ms': updatedMs,
    snapshots,
    'snapshot-log': next['snapshot-log'].filter((entry) => kept.has(entry['snapshot-id'])),
    'metadata-log': [
      ...metadata['metadata-log'],
      {
        'timestamp-ms': metadata['last-updated-ms'],
        'metadata-file': metadataFile(metadata.location, version),
      },
    ].slice(-METADATA_FILES_KEPT),
  }
}

/** Reads a metadata.json of this warehouse at `folder`. Throws when it has what only another writer makes. */
export function parseMetadata(text: string, file: string, folder: string): TableMetadata {
  const foreign = (found: string): ConnectError =>
    new ConnectError(
      `Expected ${file} as this warehouse writes it, got ${found}. Another program wrote to the table, or it is damaged; it is left as it is.`,
    )
  // JSON.parse would round such an id and go on with another snapshot's.
  const unsafe = unsafeInteger(text)
  if (unsafe !== undefined) throw foreign(`the 64-bit integer ${unsafe}`)
  let metadata: TableMetadata
  try {
    metadata = JSON.parse(text) as TableMetadata
  } catch (error) {
    throw new ConnectError(`Expected JSON in ${file}, got something else.`, { cause: error })
  }
  if (metadata['format-version'] !== 2) {
    throw foreign(`format-version ${String(metadata['format-version'])} instead of 2`)
  }
  if (metadata.location !== folder) {
    throw new ConnectError(
      `Expected the table of ${file} at ${metadata.location}, where its absolute paths lead, got it at ${folder}. Move the folder back.`,
    )
  }
  if (metadata['partition-specs'].some(({ fields }) => fields.length > 0)) {
    throw foreign('a partition spec')
  }
  if (metadata['sort-orders'].some(({ fields }) => fields.length > 0)) throw foreign('a sort order')
  const refs = Object.keys(metadata.refs).filter((name) => name !== 'main')
  if (refs.length > 0) throw foreign(`the branch or tag ${refs.join(', ')}`)
  for (const snapshot of metadata.snapshots) {
    const list = snapshot['manifest-list']
    if (path.dirname(list) !== path.join(folder, 'metadata') || !isOurs(list)) {
      throw foreign(`the snapshot ${snapshot['snapshot-id']} with the manifest list ${list}`)
    }
  }
  schemaById(metadata, metadata['current-schema-id'])
  return metadata
}

const isOurs = (list: string): boolean => SNAPSHOT_LIST.test(path.basename(list))

/** The first integer in a JSON text that a `number` cannot hold. */
function unsafeInteger(text: string): string | undefined {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))) return token
  }
  return undefined
}
