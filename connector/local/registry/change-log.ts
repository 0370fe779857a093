// Where the registry keeps what it was told: one JSON line for each change, on disk before it is answered.
import { mkdir, open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { ConnectError } from '../../api/errors.ts'

export interface ChangeLog {
  /** Resolves once the change is on disk; rejects with nothing of it kept. One call at a time. */
  append(change: unknown): Promise<void>
  close(): Promise<void>
}

const FILE = 'registry.jsonl'

/**
 * Opens the log of a folder, making both if needed, and gives its changes to `replay` in their order. A
 * last line that was cut short by a crash was never acknowledged: it is cut off. Anything else that cannot
 * be read is an error, since going on would give ids out twice.
 */
export async function openChangeLog(
  dataDir: string,
  replay: (change: unknown) => void,
): Promise<ChangeLog> {
  await mkdir(dataDir, { recursive: true })
  const file = path.join(dataDir, FILE)
  const handle = await open(file, 'a+')
  try {
    let size = replayAll(await readFile(file), file, replay)
    await handle.truncate(size)
    await handle.sync()
    await syncFolder(dataDir)
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
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
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

/** How many bytes of the file are whole lines that could be read. */
function replayAll(bytes: Buffer, file: string, replay: (change: unknown) => void): number {
  let start = 0
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, start)
    if (end < 0) return start
    const text = bytes.toString('utf8', start, end)
    try {
      replay(JSON.parse(text))
    } catch (error) {
      // A crash of the machine can leave a last line of the right length with wrong contents.
      if (end === bytes.length - 1 && error instanceof SyntaxError) return start
      throw new ConnectError(`${file} is damaged at line ${line}.`, { cause: error })
    }
    start = end + 1
  }
}
