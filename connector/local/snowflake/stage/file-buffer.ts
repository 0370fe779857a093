// What clients in file mode register instead of sending rows: `POST …/filebuffer` names files on the stage.
import { createDecipheriv } from 'node:crypto'
import { ApiError } from '../errors.ts'
import { offsetToken } from '../streaming/offset-token.ts'
import { UNPACKED_BYTES_MAX, tooLarge, unpack } from '../unpack.ts'
import type { Stage } from './stage.ts'

/** One part of an uploaded file. */
export interface Fragment {
  readonly filePath: string
  readonly etag: string
  readonly start: number
  readonly length: number
  readonly iv: Buffer
  readonly startToken: string | null
  readonly endToken: string | null
}

const FRAGMENTS_MAX = 100
const AES_BLOCK_BYTES = 16

const invalid = (why: string): ApiError =>
  new ApiError(400, 'ERR_INVALID_PAYLOAD', `The file buffer ${why}.`)

/** Reads the body of a registration. @throws ApiError 400 naming the field. */
export function parseFragments(body: Uint8Array): readonly Fragment[] {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (error) {
    throw new ApiError(400, 'ERR_INVALID_PAYLOAD', 'The file buffer is not JSON.', { cause: error })
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > FRAGMENTS_MAX)
    throw invalid(`must be a list of 1 to ${FRAGMENTS_MAX} fragments`)
  return value.map(parseFragment)
}

function parseFragment(value: unknown): Fragment {
  if (typeof value !== 'object' || value === null) throw invalid('has a fragment that is no object')
  const fields = value as Readonly<Record<string, unknown>>
  const type = fields['content_type'] ?? 'application/x-ndjson'
  if (type !== 'application/x-ndjson') throw invalid(`has content_type ${JSON.stringify(type)}`)
  const version = fields['encryption_version']
  if (version !== 'AES-CTR-128.1')
    throw invalid(`has encryption_version ${JSON.stringify(version)}, expected AES-CTR-128.1`)
  const iv = Buffer.from(textField(fields, 'iv_base64'), 'base64')
  if (iv.byteLength !== AES_BLOCK_BYTES) throw invalid('has an iv_base64 of other than 16 bytes')
  return {
    filePath: textField(fields, 'file_path'),
    etag: textField(fields, 'file_etag').replaceAll('"', ''),
    start: countField(fields, 'fragment_start_byte_offset'),
    length: countField(fields, 'fragment_length_bytes'),
    iv,
    startToken: tokenField(fields, 'fragment_start_offset_token'),
    endToken: tokenField(fields, 'fragment_end_offset_token'),
  }
}

function textField(fields: Readonly<Record<string, unknown>>, key: string): string {
  const value = fields[key]
  if (typeof value !== 'string') throw invalid(`has no text ${key}`)
  return value
}

function countField(fields: Readonly<Record<string, unknown>>, key: string): number {
  const value = fields[key]
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw invalid(`has no count ${key}`)
  return Number(value)
}

function tokenField(fields: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = fields[key] ?? null
  if (value !== null && typeof value !== 'string') throw invalid(`has a ${key} that is no text`)
  return offsetToken(key, value)
}

/** The rows of the fragments, in order. @throws ApiError 400 for a file that is missing, another one or broken; 413. */
export async function readFragments(
  stage: Stage,
  fragments: readonly Fragment[],
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for (const fragment of fragments) {
    const part = await readFragment(stage, fragment)
    bytes += part.byteLength
    if (bytes > UNPACKED_BYTES_MAX) throw tooLarge(UNPACKED_BYTES_MAX)
    parts.push(part)
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
}

async function readFragment(stage: Stage, fragment: Fragment): Promise<Uint8Array> {
  const { filePath, start, length } = fragment
  const object = stage.get(filePath)
  if (object === undefined) throw invalid(`names ${filePath}, which is not on the stage`)
  if (object.etag !== fragment.etag)
    throw invalid(`names ${filePath} with ETag ${fragment.etag}, it has ${object.etag}`)
  if (start + length > object.bytes.byteLength)
    throw invalid(
      `reaches beyond the end of ${filePath}, which has ${object.bytes.byteLength} bytes`,
    )
  const decipher = createDecipheriv('aes-256-ctr', stage.keyOf(filePath), fragment.iv)
  return unpack(decipher.update(object.bytes.subarray(start, start + length)), 'zstd')
}
