import type { IncomingMessage } from 'node:http'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Readable } from 'node:stream'
import { HttpError } from './errors.ts'

/** The request's body as text, decompressed; undefined when there is none. @throws HttpError 413 or 415. */
export async function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<string | undefined> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limitBytes) throw tooLarge(limitBytes)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of decompressed(request)) {
    const buffer = chunk as Buffer
    bytes += buffer.length
    if (bytes > limitBytes) throw tooLarge(limitBytes)
    chunks.push(buffer)
  }
  return bytes === 0 ? undefined : Buffer.concat(chunks).toString('utf8')
}

const tooLarge = (limitBytes: number): HttpError =>
  new HttpError(413, `Request body is larger than ${limitBytes} bytes.`)

function decompressed(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  switch (encoding) {
    case 'identity':
      return request
    case 'gzip':
      return request.pipe(createGunzip())
    case 'deflate':
      return request.pipe(createInflate())
    case 'br':
      return request.pipe(createBrotliDecompress())
    default:
      throw new HttpError(415, `Content-Encoding ${encoding} is not supported.`)
  }
}
