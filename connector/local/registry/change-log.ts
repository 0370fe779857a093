// Where the registry keeps what it was told: one JSON line for each change, on disk before it is answered.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { ConnectError } from '../../api/errors.ts'
import { LockHeldError, takeLockFile } from '../lock-file.ts'

export interface ChangeLog {
  /** Resolves once the change is on disk; rejects with nothing of it kept. One call at a time. */
  append(change: unknown): Promise<void>
  /** Gives the folder to whoever comes next. */
  close(): Promise<void>
}

/** What the changes are of. */
export interface Replayed {
  /** Called for each change in its order. */
  readonly replay: (change: unknown) => void
  /** The fewest changes that make the state of now. */
  readonly snapshot: () => readonly unknown[]
}

const FILE = 'registry.jsonl'
/** A log is written anew at the start when it has become this much longer than what it comes to. */
const GROWTH_MAX = 4
const CHANGES_MIN = 1_000

/**
 * Opens the log of a folder, making both if needed, and replays it. A last line that was cut short by a crash was never
 * acknowledged: it is cut off. Anything else that cannot be read is an error, since going on would give ids out twice.
 *
 * @throws ConnectError when another process has the folder, or the log is damaged.
 */
export async function openChangeLog(dataDir: string, replayed: Replayed): Promise<ChangeLog> {
  await mkdir(dataDir, { recursive: true })
  const lock = takeFolder(dataDir)
  try {
    const file = path.join(dataDir, FILE)
    const { size, changes } = await replayAll(file, replayed.replay)
    const snapshot = changes < CHANGES_MIN ? [] : replayed.snapshot()
    const isLong = changes >= CHANGES_MIN && changes > GROWTH_MAX * snapshot.length
    const whole = isLong ? await rewrite(file, snapshot) : size
    return await appender(file, whole, () => lock.release())
  } catch (error) {
    lock.release()
    throw error
  }
}

function takeFolder(dataDir: string) {
  try {
    return takeLockFile(path.join(dataDir, '.lock'), randomUUID())
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    throw new ConnectError(
      `The schemas in ${dataDir} are in use by process ${error.pid}; one registry at a time can keep them.`,
      { cause: error },
    )
  }
}

async function appender(file: string, whole: number, release: () => void): Promise<ChangeLog> {
  const handle = await open(file, 'a')
  try {
    await handle.truncate(whole)
    await handle.sync()
    await syncFolder(path.dirname(file))
  } catch (error) {
    await handle.close()
    throw error
  }
  let size = whole
  let damaged: unknown
  return {
    async append(change) {
      if (damaged !== undefined) {
        throw new ConnectError(`${file} could not be written to before.`, { cause: damaged })
      }
      const line = Buffer.from(`${JSON.stringify(change)}\n`)
      try {
        await writeAll(handle, line)
        await handle.datasync()
        size += line.length
      } catch (error) {
        // Half a line would hide the next one. If it stays, nothing more may be written.
        await handle.truncate(size).catch((cause: unknown) => {
          damaged = cause
        })
        throw new ConnectError(`${file} cannot be written to.`, { cause: error })
      }
    },
    async close() {
      await handle.close()
      release()
    },
  }
}

/** Puts a log of only these changes in the place of `file`, whole or not at all; returns its size. */
async function rewrite(file: string, changes: readonly unknown[]): Promise<number> {
  const temporary = `${file}.new`
  const bytes = Buffer.from(changes.map((change) => `${JSON.stringify(change)}\n`).join(''))
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx')
  try {
    await writeAll(handle, bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
  return bytes.length
}

/** So that the file's name is on disk, too. */
async function syncFolder(dataDir: string): Promise<void> {
  const folder = await open(dataDir)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done)
    done += bytesWritten
  }
}

/** How many bytes of the file are whole lines that could be read, and how many lines. */
async function replayAll(
  file: string,
  replay: (change: unknown) => void,
): Promise<{ readonly size: number; readonly changes: number }> {
  const bytes = await readOrEmpty(file)
  let size = 0
  for (let changes = 0; ; changes++) {
    const end = bytes.indexOf(0x0a, size)
    if (end < 0) return { size, changes }
    const text = bytes.toString('utf8', size, end)
    try {
      replay(JSON.parse(text))
    } catch (error) {
      // A crash of the machine can leave a last line of the right length with wrong contents.
      if (end === bytes.length - 1 && error instanceof SyntaxError) return { size, changes }
      throw new ConnectError(`${file} is damaged at line ${changes + 1}.`, { cause: error })
    }
    size = end + 1
  }
}

async function readOrEmpty(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
