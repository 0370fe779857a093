import type { IncomingMessage } from 'node:http'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { HttpError } from './errors.ts'

/** The request's body as text, decompressed; undefined when there is none. @throws HttpError 400, 413 or 415. */
export async function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<string | undefined> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limitBytes) throw tooLarge(limitBytes)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of decompressed(request)) {
      const buffer = chunk as Buffer
      bytes += buffer.length
      if (bytes > limitBytes) throw tooLarge(limitBytes)
      chunks.push(buffer)
    }
  } catch (error) {
    if (error instanceof HttpError) throw error
    throw new HttpError(400, 'The request body ended early or is not what Content-Encoding says.')
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
      return through(request, createGunzip())
    case 'deflate':
      return through(request, createInflate())
    case 'br':
      return through(request, createBrotliDecompress())
    default:
      throw new HttpError(415, `Content-Encoding ${encoding} is not supported.`)
  }
}

/** A plain `pipe` would not tell the decompressor that the client went away, and its reader would wait for ever. */
function through(request: IncomingMessage, decompressor: Transform): Readable {
  return pipeline(request, decompressor, () => undefined) // The reader gets the error from the decompressor itself.
}
