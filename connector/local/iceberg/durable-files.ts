// File operations that are on the disk, not just in a cache, once they resolve.
import { constants } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'

/** Creates a file that must not exist and waits until its bytes are on the disk. */
export async function writeNew(file: string, data: Uint8Array | string): Promise<void> {
  const handle = await fs.open(
    file,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    0o644,
  )
  try {
    await handle.writeFile(data)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Waits until a file's bytes, or a folder's entries, are on the disk. */
export async function sync(file: string): Promise<void> {
  const handle = await fs.open(file, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Replaces a file's content as a whole: readers see the old bytes or the new ones. `temporary` must be in the same folder. */
export async function replaceFile(
  file: string,
  temporary: string,
  data: Uint8Array | string,
): Promise<void> {
  try {
    await writeNew(temporary, data)
    await fs.rename(temporary, file)
  } catch (error) {
    await removeQuietly(temporary)
    throw error
  }
  await sync(path.dirname(file))
}

/** Removes a file that may be gone already. What is left over is found again by the next clean-up. */
export async function removeQuietly(file: string): Promise<void> {
  await fs.rm(file, { force: true }).catch(() => {
    // A failure to tidy up must not hide the error that led here.
  })
}

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code
