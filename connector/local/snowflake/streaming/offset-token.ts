import { ApiError } from '../errors.ts'

/** What an offset token may take in UTF-8: it is kept with the channel and with each row that did not fit. */
export const OFFSET_TOKEN_BYTES_MAX = 1_024

/** The token of the field or parameter `name` as it came, an empty one as none. @throws ApiError 400 when it is too long. */
export function offsetToken(name: string, token: string | null): string | null {
  if (token === null || token === '') return null
  const bytes = Buffer.byteLength(token)
  if (bytes > OFFSET_TOKEN_BYTES_MAX)
    throw new ApiError(
      400,
      'ERR_INVALID_PAYLOAD',
      `${name} has ${bytes} bytes, expected at most ${OFFSET_TOKEN_BYTES_MAX}.`,
    )
  return token
}
