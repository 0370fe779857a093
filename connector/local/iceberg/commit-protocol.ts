// How a version of a table becomes the current one on a local disk: everything that it refers to is on the
// disk first, then one hard link makes it visible. link() fails where rename() would overwrite, so of two
// writers one loses instead of both losing rows.
import fs from 'node:fs/promises'
import path from 'node:path'
import { ConnectError, RetriableError } from '../../api/errors.ts'
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import { isCode, removeQuietly, replaceFile, sync, writeNew } from './durable-files.ts'
import { metadataFile, type TableMetadata } from './metadata.ts'
import { UnconfirmedCommitError } from './types.ts'

const VERSION_HINT = 'version-hint.text'

export interface Publication {
  readonly metadata: TableMetadata
  readonly version: number
  /** Unique text for temporary names. */
  readonly unique: string
}

/**
 * Makes `version` visible. When this rejects with a `RetriableError` nothing has changed.
 * @throws ConnectError when another writer made that version already.
 */
export async function publishVersion({ metadata, version, unique }: Publication): Promise<void> {
  const folder = path.join(metadata.location, 'metadata')
  const target = metadataFile(metadata.location, version)
  // Some engines take every file that ends in .metadata.json for a version.
  const temporary = path.join(folder, `.${unique}.tmp`)
  try {
    await sync(path.join(metadata.location, 'data'))
    await sync(folder)
    await writeNew(temporary, JSON.stringify(metadata))
    await fs.link(temporary, target)
  } catch (error) {
    if (isCode(error, 'EEXIST')) {
      throw new ConnectError(
        `Expected to write version ${version} of the table in ${metadata.location}, but another writer made it. Start again to read what it wrote.`,
        { cause: error },
      )
    }
    throw new RetriableError(
      `Version ${version} of the table in ${metadata.location} was not written.`,
      { cause: error },
    )
  } finally {
    await removeQuietly(temporary)
  }
}

/** Waits until a visible version is on the disk. @throws UnconfirmedCommitError. */
export async function settleVersion({ metadata, version }: Publication): Promise<void> {
  try {
    await sync(path.join(metadata.location, 'metadata'))
  } catch (error) {
    throw new UnconfirmedCommitError(
      `Version ${version} of the table in ${metadata.location} is visible, but the disk did not confirm it.`,
      { cause: error },
    )
  }
}

/** Points PyIceberg, DuckDB and Spark, which start at version-hint.text, to the version. */
export async function writeHint(location: string, version: number, unique: string): Promise<void> {
  const folder = path.join(location, 'metadata')
  await replaceFile(
    path.join(folder, VERSION_HINT),
    path.join(folder, `.${unique}.hint.tmp`),
    String(version),
  )
}

/** Points the hint to a version that counts already: a failure is only logged, the next commit or start repairs it. */
export async function pointHint(
  { metadata: { location }, version, unique }: Publication,
  log: PluginLogger,
): Promise<void> {
  try {
    await writeHint(location, version, unique)
  } catch (error) {
    log.warn(
      { table: location, version, error },
      'The version hint could not be written; the next commit or start repairs it.',
    )
  }
}

/** What the hint says, or undefined where there is none. */
export async function readHint(location: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path.join(location, 'metadata', VERSION_HINT), 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}
