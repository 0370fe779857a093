// Undoes `Content-Encoding` within limits on memory and on how long other requests wait.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip as gunzipCallback } from 'node:zlib'
import { Decompress } from 'fzstd'
import { ApiError } from './errors.ts'
import { framesOf, windowDescriptor, type ZstdFrame } from './zstd-frames.ts'

const gunzip = promisify(gunzipCallback)

/** Bytes of a body may unpack to so many. */
export const UNPACKED_BYTES_MAX = 64 * 1_024 * 1_024

export const tooLarge = (bytesMax: number): ApiError =>
  new ApiError(413, 'ERR_PAYLOAD_TOO_LARGE', `The body is larger than ${bytesMax} bytes.`, {
    headers: { connection: 'close' },
  })

/** Undoes `Content-Encoding`. @throws ApiError 415 for one we do not know, 400 for a broken one, 413. */
export async function unpack(body: Uint8Array, encoding: string | undefined): Promise<Uint8Array> {
  try {
    switch (encoding?.toLowerCase().trim()) {
      case undefined:
      case '':
      case 'identity':
        return body
      case 'gzip':
        return await gunzip(body, { maxOutputLength: UNPACKED_BYTES_MAX })
      case 'zstd':
        return await unpackZstd(body)
    }
  } catch (error) {
    if (error instanceof ApiError) throw error
    if (isTooLong(error)) throw tooLarge(UNPACKED_BYTES_MAX)
    throw new ApiError(400, 'ERR_INVALID_PAYLOAD', `The body is not ${encoding}.`, { cause: error })
  }
  throw new ApiError(
    415,
    'ERR_UNSUPPORTED_CONTENT_ENCODING',
    `Content-Encoding ${encoding} is not supported; gzip, zstd and identity are.`,
  )
}

const isTooLong = (error: unknown): boolean =>
  error instanceof RangeError && (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'

/** The decoder moves its whole window for every block, so blocks and window together are its time. */
const WORK_BYTES_MAX = 16 * 1_024 * 1_024 * 1_024
const WORK_BYTES_PER_SLICE = 128 * 1_024 * 1_024
const BLOCKS_PER_SLICE = 32

/** Block by block, so that a body that unpacks to gigabytes is stopped early and one that takes long lets others through. */
async function unpackZstd(body: Uint8Array): Promise<Uint8Array> {
  const frames = framesOf(body)
  const work = frames.reduce((sum, frame) => sum + frame.blockEnds.length * windowOf(frame), 0)
  if (work > WORK_BYTES_MAX || frames.some((frame) => windowOf(frame) > WINDOW_BYTES_MAX))
    throw tooLarge(UNPACKED_BYTES_MAX)
  const chunks: Uint8Array[] = []
  let bytes = 0
  const take = (chunk: Uint8Array): void => {
    bytes += chunk.byteLength
    if (bytes > UNPACKED_BYTES_MAX) throw tooLarge(UNPACKED_BYTES_MAX)
    if (chunk.byteLength > 0) chunks.push(chunk)
  }
  for (const [index, frame] of frames.entries()) {
    if (index > 0) await nextTurn()
    await unpackFrame(body, frame, take)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)
}

const WINDOW_BYTES_MAX = 2 * UNPACKED_BYTES_MAX

/** What the decoder will hold: of a window that is larger than the content can be, only so much. */
const windowOf = (frame: ZstdFrame): number =>
  frame.windowAt === undefined
    ? frame.windowBytes
    : Math.min(frame.windowBytes, Math.max(frame.contentBytesMax, 1))

async function unpackFrame(
  body: Uint8Array,
  frame: ZstdFrame,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const stream = new Decompress(take)
  let at = frame.start
  const { windowAt } = frame
  if (windowAt !== undefined && windowOf(frame) < frame.windowBytes) {
    stream.push(body.subarray(at, windowAt), false)
    stream.push(Uint8Array.of(windowDescriptor(windowOf(frame))), false)
    at = windowAt + 1
  }
  const inSlice = Math.floor(WORK_BYTES_PER_SLICE / Math.max(1, windowOf(frame)))
  const blocks = Math.min(BLOCKS_PER_SLICE, Math.max(1, inSlice))
  for (let block = blocks; block < frame.blockEnds.length; block += blocks) {
    const end = frame.blockEnds[block - 1] ?? frame.end
    stream.push(body.subarray(at, end), false)
    at = end
    await nextTurn()
  }
  stream.push(body.subarray(at, frame.end), true)
}
