// Tables as folders: made, opened after whatever happened to the process before, and taken away.
import fs from 'node:fs/promises'
import path from 'node:path'
import { AlreadyExistsError } from '../../api/errors.ts'
import { pointHint, publishVersion, readHint, settleVersion, writeHint } from './commit-protocol.ts'
import { isCode, sync } from './durable-files.ts'
import {
  metadataFile,
  newMetadata,
  parseMetadata,
  type TableMetadata,
  versionOf,
} from './metadata.ts'
import { randomUuid } from './random-ids.ts'
import { assignIds } from './schema.ts'
import { readManifest, readManifestList, schemaIdOf } from './snapshot-files.ts'
import { LocalTable, type TableContext, type TableState } from './table.ts'
import type { NewField, TableIdentifier } from './types.ts'

/** Makes a table's folder with its first version. A failure or a crash leaves nothing that counts as a table. */
export async function createTableFolder(
  table: {
    readonly identifier: TableIdentifier
    readonly location: string
    readonly fields: readonly NewField[]
    readonly properties: Readonly<Record<string, string>>
  },
  context: TableContext,
): Promise<LocalTable> {
  const { location, identifier } = table
  const metadata = emptyTable(table, context)
  try {
    await fs.mkdir(location)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    throw new AlreadyExistsError(`Expected no folder at ${location}, got one.`, { cause: error })
  }
  try {
    await fs.mkdir(path.join(location, 'data'))
    await fs.mkdir(path.join(location, 'metadata'))
    await sync(location)
    await sync(path.dirname(location))
    const publication = { metadata, version: 1, unique: randomUuid(context.random) }
    await publishVersion(publication)
    await settleVersion(publication)
    await writeHint(location, 1, publication.unique)
    return new LocalTable(identifier, { metadata, version: 1, manifests: [] }, context)
  } catch (error) {
    await fs.rm(location, { recursive: true, force: true })
    throw error
  }
}

function emptyTable(
  table: {
    readonly location: string
    readonly fields: readonly NewField[]
    readonly properties: Readonly<Record<string, string>>
  },
  context: TableContext,
): TableMetadata {
  const { fields, lastId } = assignIds(table.fields, 0)
  return newMetadata({
    uuid: randomUuid(context.random),
    location: table.location,
    schema: { type: 'struct', fields },
    lastColumnId: lastId,
    properties: table.properties,
    nowMs: context.clock.now(),
  })
}

/**
 * Makes the next version of a table's folder an empty table of another UUID, so that one link replaces it. The
 * old table must have ended; its files go when nobody can be reading them any more. When this rejects nothing
 * has changed. `settle` waits for the disk. @throws UnconfirmedCommitError from there.
 */
export async function replaceTableInFolder(
  old: LocalTable,
  fresh: {
    readonly fields: readonly NewField[]
    readonly properties: Readonly<Record<string, string>>
  },
  context: TableContext,
): Promise<{ readonly table: LocalTable; readonly settle: () => Promise<void> }> {
  const { location, identifier } = old
  const version = old.version + 1
  const metadata = emptyTable({ location, ...fresh }, context)
  const publication = { metadata, version, unique: randomUuid(context.random) }
  await publishVersion(publication)
  return {
    table: new LocalTable(identifier, { metadata, version, manifests: [] }, context),
    settle: async () => {
      await settleVersion(publication)
      await pointHint(publication, context.log)
    },
  }
}

/**
 * Opens a table at its newest version, repairs the hint and clears up. Undefined when the folder never
 * became a table; what a crash left of its making is removed then.
 */
export async function openTableFolder(
  identifier: TableIdentifier,
  location: string,
  context: TableContext,
): Promise<LocalTable | undefined> {
  const version = await newestVersion(location)
  if (version === undefined) {
    const names = await fs.readdir(location)
    if (names.every((name) => name === 'data' || name === 'metadata')) {
      await fs.rm(location, { recursive: true, force: true })
    } else {
      context.log.warn(
        { folder: location },
        'A folder in a schema is no table; it is left as it is.',
      )
    }
    return undefined
  }
  const table = new LocalTable(identifier, await readState(location, version), context)
  if ((await readHint(location)) !== String(version)) {
    context.log.info({ table: location, version }, 'Repaired the version hint.')
    await writeHint(location, version, randomUuid(context.random))
  }
  await table.sweep(true)
  return table
}

async function newestVersion(location: string): Promise<number | undefined> {
  let names: readonly string[]
  try {
    names = await fs.readdir(path.join(location, 'metadata'))
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return undefined
    throw error
  }
  const versions = names.flatMap((name) => versionOf(name) ?? [])
  return versions.length === 0 ? undefined : Math.max(...versions)
}

async function readState(location: string, version: number): Promise<TableState> {
  const file = metadataFile(location, version)
  const metadata = parseMetadata(await fs.readFile(file, 'utf8'), file, location)
  const current = metadata.snapshots.find(
    (snapshot) => snapshot['snapshot-id'] === metadata['current-snapshot-id'],
  )
  const list = current === undefined ? [] : await readManifestList(current['manifest-list'])
  const manifests = await Promise.all(list.map(readManifest))
  for (const { entries } of manifests) for (const entry of entries) schemaIdOf(entry.file.path)
  return { metadata, version, manifests }
}
