import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { LockHeldError, takeLockFile } from './lock-file.ts'

/** A folder that one process holds. */
export interface DataFolder {
  /** Absolute. */
  readonly path: string
  release(): void
}

/** The folder is held by somebody else, or cannot be written. The message says who, or why. */
export class DataFolderError extends Error {}

/**
 * Makes the folder and holds it for this process. A holder that was killed is recognised, also when its
 * process id was given to somebody else since. Throws `DataFolderError`.
 */
export function holdDataFolder(folder: string): DataFolder {
  const absolute = path.resolve(folder)
  const lock = path.join(absolute, 'stack.lock')
  try {
    mkdirSync(absolute, { recursive: true })
  } catch (error) {
    throw new DataFolderError(`The data folder ${absolute} cannot be made: ${reason(error)}`, {
      cause: error,
    })
  }
  try {
    const held = takeLockFile(lock, randomUUID())
    return { path: absolute, release: () => held.release() }
  } catch (error) {
    throw new DataFolderError(
      error instanceof LockHeldError
        ? `The data folder ${absolute} is in use by process ${error.pid}. Stop that one, or give another folder with --data-dir.`
        : `The data folder ${absolute} cannot be written: ${reason(error)}`,
      { cause: error },
    )
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
