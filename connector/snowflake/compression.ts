// How rows are compressed on the wire: gzip everywhere, zstd where Node has it.
import { promisify } from 'node:util'
import zlib from 'node:zlib'

export type Encoding = 'gzip' | 'zstd'
export type Compression = 'auto' | Encoding

/** One way of compressing requests. */
export interface Compressor {
  readonly encoding: Encoding
  compress(raw: Uint8Array): Promise<Uint8Array>
  /** The bytes that `compress` was given. */
  decompress(body: Uint8Array): Uint8Array
}

/** What Node has from 22.15 on. */
export interface Zstd {
  zstdCompress(
    raw: Uint8Array,
    options: { readonly params: Readonly<Record<number, number>> },
    done: (error: Error | null, body: Buffer) => void,
  ): void
  zstdDecompressSync(body: Uint8Array): Buffer
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

/** Level 1: beyond it gzip costs far more time than it saves bytes. */
const GZIP_LEVEL = 1
/** zstd's own default, which Snowflake's SDK takes as well. */
const ZSTD_LEVEL = 3

/** Each chunk goes through the thread pool and back; Node's default of 16 KB makes that a visible part of the whole. */
const GZIP_CHUNK_BYTES = 64 * 1024

const gzip = promisify(zlib.gzip)

const GZIP: Compressor = {
  encoding: 'gzip',
  compress: (raw) => gzip(raw, { level: GZIP_LEVEL, chunkSize: GZIP_CHUNK_BYTES }),
  decompress: (body) => zlib.gunzipSync(body),
}

/** zstd as this Node has it; undefined before 22.15. */
export const nodeZstd = (): Zstd | undefined =>
  'zstdCompress' in zlib ? (zlib as unknown as Zstd) : undefined

function zstdCompressor(zstd: Zstd): Compressor {
  const params = { [zstd.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL }
  return {
    encoding: 'zstd',
    compress: (raw) =>
      new Promise((resolve, reject) => {
        zstd.zstdCompress(raw, { params }, (error, body) => {
          if (error === null) resolve(body)
          else reject(error)
        })
      }),
    decompress: (body) => zstd.zstdDecompressSync(body),
  }
}

/** What is wrong with a choice on this Node. */
export function compressionProblem(
  choice: string,
  zstd: Zstd | undefined = nodeZstd(),
): string | undefined {
  if (choice === 'auto' || choice === 'gzip') return undefined
  if (choice !== 'zstd') return 'String must be one of: auto, gzip, zstd'
  return zstd === undefined ? 'zstd needs Node 22.15 or later; expected auto or gzip' : undefined
}

/** The compressor for a choice that `compressionProblem` has nothing against. */
export const compressorFor = (
  choice: Compression,
  zstd: Zstd | undefined = nodeZstd(),
): Compressor => (choice === 'gzip' || zstd === undefined ? GZIP : zstdCompressor(zstd))
