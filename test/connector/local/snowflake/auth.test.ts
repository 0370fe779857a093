import { describe, expect, test } from 'vitest'
import { Authenticator } from '../../../../connector/local/snowflake/auth.ts'
import { ApiError } from '../../../../connector/local/snowflake/errors.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { keyPairJwt, makeKey } from '../../../support/snowflake-keys.ts'

const key = makeKey()
const nowMs = 1_795_450_000_000
const setUp = (): { auth: Authenticator; clock: FakeClock } => {
  const clock = new FakeClock({ nowMs })
  const users = [{ name: 'pipe', publicKeyPem: key.publicKeyPem }]
  return { auth: new Authenticator({ users, clock, scopedTtlMs: 600_000 }), clock }
}
const codeOf = (call: () => unknown): string => {
  try {
    call()
    return 'none'
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.code}`
    throw error
  }
}

describe('key-pair JWTs', () => {
  test('are taken with times in seconds and in milliseconds', () => {
    const { auth } = setUp()
    expect(auth.keyPairUser(keyPairJwt(key, { user: 'PIPE', nowMs }))).toBe('PIPE')
    const claims = { iat: nowMs, exp: nowMs + 3_540_000 }
    expect(auth.keyPairUser(keyPairJwt(key, { user: 'pipe', nowMs, claims }))).toBe('PIPE')
  })

  const refused: readonly (readonly [string, () => string])[] = [
    ['of an unknown user', () => keyPairJwt(key, { user: 'OTHER', nowMs })],
    ['signed with another key', () => keyPairJwt(makeKey(), { user: 'PIPE', nowMs })],
    [
      'that name the right fingerprint but are signed with another key',
      () => {
        const [header, claims] = keyPairJwt(key, { user: 'PIPE', nowMs }).split('.')
        const signature = keyPairJwt(makeKey(), { user: 'PIPE', nowMs }).split('.')[2]
        return `${header}.${claims}.${signature}`
      },
    ],
    ['that have expired', () => keyPairJwt(key, { user: 'PIPE', nowMs: nowMs - 4_000_000 })],
    ['from the future', () => keyPairJwt(key, { user: 'PIPE', nowMs: nowMs + 120_000 })],
    [
      'valid for more than an hour',
      () => keyPairJwt(key, { user: 'PIPE', nowMs, claims: { exp: nowMs / 1_000 + 7_200 } }),
    ],
    ['without exp', () => keyPairJwt(key, { user: 'PIPE', nowMs, claims: { exp: undefined } })],
    ['that are garbage', () => 'a.b.c'],
    ['of two parts', () => 'a.b'],
    [
      'without a signature',
      () => {
        const [, claims] = keyPairJwt(key, { user: 'PIPE', nowMs }).split('.')
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`
      },
    ],
  ]
  for (const [which, make] of refused)
    test(`${which} are refused`, () => {
      expect(codeOf(() => setUp().auth.keyPairUser(make()))).toBe('401 390144')
    })

  test('are refused once they expire, also after they were taken before', async () => {
    const { auth, clock } = setUp()
    const jwt = keyPairJwt(key, { user: 'PIPE', nowMs })
    expect(auth.keyPairUser(jwt)).toBe('PIPE')
    await clock.advance(3_541_000)
    expect(codeOf(() => auth.keyPairUser(jwt))).toBe('401 390144')
  })
})

describe('scoped tokens', () => {
  test('are new each time, and hold until they expire', async () => {
    const { auth, clock } = setUp()
    const token = auth.mintScopedToken('PIPE', 'host')
    expect(auth.mintScopedToken('PIPE', 'host')).not.toBe(token)
    expect(auth.scopedUser(token)).toBe('PIPE')
    await clock.advance(600_001)
    expect(codeOf(() => auth.scopedUser(token))).toBe('401 390318')
  })

  test('carry exp in seconds', () => {
    const token = setUp().auth.mintScopedToken('PIPE', 'host')
    const claims = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    ) as Record<string, unknown>
    expect(claims['exp']).toBe((nowMs + 600_000) / 1_000)
  })

  test('of another process are refused', () => {
    const token = setUp().auth.mintScopedToken('PIPE', 'host')
    expect(codeOf(() => setUp().auth.scopedUser(token))).toBe('401 390303')
  })
})

test('a programmatic access token is taken once it is registered for a user', () => {
  const { auth } = setUp()
  expect(codeOf(() => auth.accessTokenUser('secret'))).toBe('401 394400')
  auth.register({ name: 'pipe', publicKeyPem: key.publicKeyPem, accessTokens: ['secret'] })
  expect(auth.accountUser('secret', 'PROGRAMMATIC_ACCESS_TOKEN')).toBe('PIPE')
  expect(codeOf(() => auth.accountUser('secret', 'KEYPAIR_JWT'))).toBe('401 390144')
})
