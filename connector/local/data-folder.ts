import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** A folder that one process holds. */
export interface DataFolder {
  /** Absolute. */
  readonly path: string
  release(): void
}

/** The folder is held by somebody else, or cannot be written. The message says who, or why. */
export class DataFolderError extends Error {}

interface Holder {
  readonly pid: number
  readonly started: string
}

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
  const me: Holder = { pid: process.pid, started: startOf(process.pid) ?? '' }
  for (;;) {
    try {
      writeFileSync(lock, JSON.stringify(me), { flag: 'wx' })
      return { path: absolute, release: () => rmSync(lock, { force: true }) }
    } catch (error) {
      if (!isCode(error, 'EEXIST')) {
        throw new DataFolderError(
          `The data folder ${absolute} cannot be written: ${reason(error)}`,
          { cause: error },
        )
      }
    }
    const holder = readHolder(lock)
    if (holder !== undefined && isAlive(holder)) {
      throw new DataFolderError(
        `The data folder ${absolute} is in use by process ${holder.pid}. Stop that one, or give another folder with --data-dir.`,
      )
    }
    rmSync(lock, { force: true })
  }
}

function readHolder(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder
  } catch {
    return undefined // Torn by a crash while it was written: nobody holds it.
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (!isCode(error, 'EPERM')) return false
  }
  const started = startOf(holder.pid)
  return started === undefined || started === holder.started
}

/** Field 22 of /proc/PID/stat: clock ticks from boot to the process's start. Undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined // Not Linux, or the process is gone.
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
