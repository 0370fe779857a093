import { describe, expect, test } from 'vitest'
import {
  OFFSET_TOKEN_BYTES_MAX,
  offsetToken,
} from '../../../../../connector/local/snowflake/streaming/offset-token.ts'
import { codeOf } from '../../../../support/table-ingest.ts'

describe('offsetToken', () => {
  test('counts bytes of UTF-8, and refuses a token with more than it may have by its name', () => {
    const longest = 'é'.repeat(OFFSET_TOKEN_BYTES_MAX / 2)
    expect(offsetToken('offset_token', longest)).toBe(longest)
    expect(codeOf(() => offsetToken('offset_token', `${longest}x`))).toBe('400 ERR_INVALID_PAYLOAD')
    expect(() => offsetToken('offset_token', `${longest}x`)).toThrow(
      'offset_token has 1025 bytes, expected at most 1024.',
    )
  })

  test('takes an empty token as none', () => {
    expect(offsetToken('offset_token', '')).toBeNull()
    expect(offsetToken('offset_token', null)).toBeNull()
  })
})
