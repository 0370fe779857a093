import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { isCode, writeNew } from '../../iceberg/durable-files.ts'

const SECRET_BYTES = 32

/** The secret in `file`, made at the first start; with it, clients' uploads go on after a restart. */
export async function stageSecret(file: string): Promise<Uint8Array> {
  try {
    const known = await readFile(file)
    if (known.byteLength === SECRET_BYTES) return known
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
    const made = randomBytes(SECRET_BYTES)
    await mkdir(path.dirname(file), { recursive: true })
    await writeNew(file, made)
    return made
  }
  // A write that was cut short. Clients get another place to upload to, as after any lost disk.
  return randomBytes(SECRET_BYTES)
}
