// What a zstd body is made of (RFC 8878), read without unpacking: the decoder believes every header, and allocates and
// moves as much memory as a header says.
import { DataError } from '../../api/errors.ts'

export interface ZstdFrame {
  readonly start: number
  /** Behind its last block and its checksum. */
  readonly end: number
  /** What its head says. */
  readonly windowBytes: number
  /** Where the byte is that says so; absent in a frame of a single segment, whose window is its content. */
  readonly windowAt: number | undefined
  /** Its content is no longer than this. */
  readonly contentBytesMax: number
  /** Where each block ends. */
  readonly blockEnds: readonly number[]
}

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a5
const BLOCK_BYTES_MAX = 131_072
const RLE = 1
const COMPRESSED = 2
const RESERVED = 3

const broken = (what: string): DataError => new DataError(`The zstd body ${what}.`)

/** The frames with content, in their order; skippable ones are left out. @throws DataError when it is not zstd. */
export function framesOf(body: Uint8Array): readonly ZstdFrame[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const frames: ZstdFrame[] = []
  let at = 0
  while (at < body.byteLength) {
    if (at + 8 > body.byteLength) throw broken('ends in the head of a frame')
    const magic = view.getUint32(at, true)
    if (magic >>> 4 === SKIPPABLE) {
      at += 8 + view.getUint32(at + 4, true)
      if (at > body.byteLength) throw broken('ends in a skippable frame')
      continue
    }
    if (magic !== MAGIC) throw broken('has no frame where one must begin')
    const frame = frameAt(view, at)
    frames.push(frame)
    at = frame.end
  }
  if (frames.length === 0) throw broken('has no frame')
  return frames
}

function frameAt(view: DataView, start: number): ZstdFrame {
  const { headEnd, windowBytes, windowAt, hasChecksum } = headAt(view, start)
  const blockEnds: number[] = []
  let contentBytesMax = 0
  let at = headEnd
  for (let isLast = false; !isLast; ) {
    if (at + 3 > view.byteLength) throw broken('ends in the head of a block')
    const head = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const kind = (head >> 1) & 3
    const size = head >> 3
    if (kind === RESERVED || size > BLOCK_BYTES_MAX) throw broken('has a block of no known kind')
    isLast = (head & 1) === 1
    at += 3 + (kind === RLE ? 1 : size)
    if (at > view.byteLength) throw broken('ends in a block')
    contentBytesMax += kind === COMPRESSED ? BLOCK_BYTES_MAX : size
    blockEnds.push(at)
  }
  const end = at + (hasChecksum ? 4 : 0)
  if (end > view.byteLength) throw broken('ends in a checksum')
  if (windowAt === undefined && windowBytes > contentBytesMax)
    throw broken('says that it has more than its blocks hold')
  return { start, end, windowBytes, windowAt, contentBytesMax, blockEnds }
}

interface FrameHead {
  readonly headEnd: number
  readonly windowBytes: number
  readonly windowAt: number | undefined
  readonly hasChecksum: boolean
}

function headAt(view: DataView, start: number): FrameHead {
  const flags = view.getUint8(start + 4)
  const isSingle = (flags & 0x20) !== 0
  if ((flags & 0x08) !== 0) throw broken('has a reserved bit set')
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0
  const windowAt = isSingle ? undefined : start + 5
  const dictionaryAt = start + 5 + (isSingle ? 0 : 1)
  const headEnd = dictionaryAt + dictionaryBytes + sizeBytes
  if (headEnd > view.byteLength) throw broken('ends in the head of a frame')
  for (let at = dictionaryAt; at < dictionaryAt + dictionaryBytes; at++)
    if (view.getUint8(at) !== 0) throw broken('needs a dictionary')
  return {
    headEnd,
    windowBytes:
      windowAt === undefined
        ? sizeAt(view, headEnd - sizeBytes, sizeBytes)
        : windowOf(view.getUint8(windowAt)),
    windowAt,
    hasChecksum: (flags & 0x04) !== 0,
  }
}

const windowOf = (descriptor: number): number => {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** The descriptor of the smallest window that is a power of two and holds `bytes`. */
export const windowDescriptor = (bytes: number): number =>
  Math.ceil(Math.log2(Math.max(bytes, 1_024)) - 10) << 3

function sizeAt(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at)
  if (bytes === 2) return view.getUint16(at, true) + 256
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true))
}
