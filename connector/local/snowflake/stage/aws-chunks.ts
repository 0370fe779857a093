import { ApiError } from '../errors.ts'

const incomplete = (): ApiError =>
  new ApiError(400, 'IncompleteBody', 'The body is not what aws-chunked encoding makes.')

const HEAD = /^([0-9a-f]{1,8})(?:;[^\r\n]*)?$/i
const HEAD_LENGTH_MAX = 256

/**
 * The content of a body of S3's `aws-chunked` encoding: `<hex length>[;signature]\r\n<bytes>\r\n … 0\r\n<trailers>`.
 * Trailers are not looked at: TCP and TLS have checked the bytes. @throws ApiError 400.
 */
export function decodeAwsChunks(body: Uint8Array): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const pieces: Uint8Array[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1 || lineEnd - at > HEAD_LENGTH_MAX) throw incomplete()
    const digits = HEAD.exec(bytes.toString('latin1', at, lineEnd))?.[1]
    if (digits === undefined) throw incomplete()
    const length = Number.parseInt(digits, 16)
    if (length === 0) return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
    const start = lineEnd + 2
    at = start + length + 2
    if (at > bytes.byteLength || bytes.toString('latin1', at - 2, at) !== '\r\n') throw incomplete()
    pieces.push(bytes.subarray(start, start + length))
  }
}
