// One account as the client sees it: who it says it is, what every request carries, and what it does about refusals.
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Password } from '../../../connector/api/password.ts'
import { Authenticator } from '../../../connector/local/snowflake/auth.ts'
import { fingerprint } from '../../../connector/snowflake/auth.ts'
import type { Login } from '../../../connector/snowflake/connection-config.ts'
import { connectionTo } from '../../../connector/snowflake/connection.ts'
import type { HttpRequest, HttpResponse } from '../../../connector/snowflake/http.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const NOW_MS = 1_700_000_000_000
const PIPE = { database: 'MTA', schema: 'RAW', pipe: 'T-STREAMING' }
const { signal } = new AbortController()
const makeKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const KEY = makeKey()

const answer = (
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({ status, headers, body: Buffer.from(body) })

/** An account that does as it is told, and otherwise takes everything. */
function account(
  login: Login,
  serve: (request: HttpRequest, path: string) => HttpResponse | undefined = () => undefined,
) {
  const clock = new FakeClock({ nowMs: NOW_MS })
  const requests: HttpRequest[] = []
  let ids = 0
  const { client, credential } = connectionTo(
    { accountUrl: 'https://acct.example', account: 'acct', user: 'mta', role: 'LOADER', login },
    {
      send: (request) => {
        requests.push(request)
        const path = new URL(request.url).pathname
        const own = serve(request, path)
        if (own !== undefined) return Promise.resolve(own)
        if (path.endsWith('/hostname')) return Promise.resolve(answer(200, 'in.example\n'))
        if (path === '/oauth/token')
          return Promise.resolve(answer(200, `scoped-${requests.length}`))
        if (path.endsWith('token-request')) {
          return Promise.resolve(answer(200, '{"access_token":"ACCESS","expires_in":600}'))
        }
        return Promise.resolve(answer(200, '{"channel_statuses":{}}'))
      },
      clock,
      requestId: () => `id-${++ids}`,
      userAgent: 'test/1',
      timeoutMs: 1_000,
    },
  )
  const ask = () => client.statuses(PIPE, ['c'], { attempt: { id: 'call', retries: 0 }, signal })
  return { ask, clock, credential, requests }
}

const shapes = (requests: readonly HttpRequest[]) =>
  requests.map(({ url, headers }) => {
    const { hostname, pathname } = new URL(url)
    const bearer = headers['authorization']?.replace(/^(Bearer eyJ).*/, '$1')
    const type = headers['x-snowflake-authorization-token-type']
    return `${hostname}${pathname.replace(/.*:/, ':')} ${bearer} ${type}`
  })

const keyLogin: Login = { kind: 'key', key: KEY, reload: undefined }
const tokenLogin: Login = { kind: 'token', read: () => 'PAT' }

/** The claims of the JWT that a request carries. */
const issuer = ({ headers }: HttpRequest): string =>
  Buffer.from(headers['authorization']?.split('.')[1] ?? '', 'base64url').toString()

/** An account whose clock is ahead and that checks JWTs as the local endpoint does. */
function skewed(aheadMs: number) {
  const theirs = new FakeClock({ nowMs: NOW_MS + aheadMs })
  const publicKeyPem = String(createPublicKey(KEY).export({ type: 'spki', format: 'pem' }))
  const users = [{ name: 'MTA', publicKeyPem }]
  const auth = new Authenticator({ users, clock: theirs, scopedTtlMs: 600_000 })
  return account(keyLogin, ({ headers, url }) => {
    if (!url.includes('acct.example')) return undefined
    const date = { date: new Date(theirs.now()).toUTCString() }
    try {
      auth.keyPairUser(headers['authorization']?.slice(7) ?? '')
    } catch {
      return answer(401, '{"code":"390144"}', date)
    }
    return answer(200, url.includes('hostname') ? 'in.example' : 'T', date)
  })
}

describe('what is sent', () => {
  test('every request carries Accept, a request id and its count', async () => {
    const { ask, requests } = account(keyLogin)
    await ask()
    expect(requests.map(({ url }) => new URL(url).search)).toEqual([
      '?requestId=id-1&retryCount=0',
      '?requestId=id-2&retryCount=0',
      '?requestId=call&retryCount=0',
    ])
    for (const { headers } of requests) expect(headers['accept']).toBe('application/json')
  })

  test('host and token may come as JSON, as a JSON text and as plain text', async () => {
    const variants = ['in.example', '"in.example"', '{"hostname":"in.example"}']
    const tokens = ['T', '"T"', '{"token":"T"}']
    for (const [at, host] of variants.entries()) {
      const { ask, requests } = account(keyLogin, (_, path) => {
        if (path.endsWith('/hostname')) return answer(200, host)
        return path === '/oauth/token' ? answer(200, tokens[at] ?? '') : undefined
      })
      // oxlint-disable-next-line no-await-in-loop -- three accounts, one after the other
      await ask()
      expect(shapes(requests)[2]).toBe('in.example:bulk-channel-status Bearer T OAUTH')
    }
  })

  test('a programmatic access token is exchanged for the ingest host’s', async () => {
    const { ask, credential, requests } = account(tokenLogin)
    await ask()
    expect(shapes(requests)).toEqual([
      'acct.example/v2/streaming/hostname Bearer PAT PROGRAMMATIC_ACCESS_TOKEN',
      'acct.example/oauth/token Bearer PAT PROGRAMMATIC_ACCESS_TOKEN',
      'in.example:bulk-channel-status Bearer scoped-2 OAUTH',
    ])
    expect(Object.fromEntries(new URLSearchParams(String(requests[1]?.body)))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'programmatic_access_token',
      scope: 'in.example session:role:LOADER',
    })
    expect(await credential.driverLogin(signal)).toEqual({
      authenticator: 'PROGRAMMATIC_ACCESS_TOKEN',
      token: 'PAT',
    })
  })

  test.each([
    ['refresh-1', 'grant_type=refresh_token&refresh_token=refresh-1&scope=session%3Arole%3AR'],
    [undefined, 'grant_type=client_credentials&scope=session%3Arole%3AR'],
  ])('OAuth with refresh token %s', async (refresh, form) => {
    const { ask, clock, requests } = account({
      kind: 'oauth',
      clientId: 'client',
      clientSecret: new Password('secret'),
      refreshToken: refresh === undefined ? undefined : new Password(refresh),
      endpoint: 'https://id.example/token-request',
      scope: 'session:role:R',
    })
    await ask()
    expect(shapes(requests)).toEqual([
      'id.example/token-request Basic Y2xpZW50OnNlY3JldA== undefined',
      'acct.example/v2/streaming/hostname Bearer ACCESS OAUTH',
      'acct.example/oauth/token Bearer ACCESS OAUTH',
      'in.example:bulk-channel-status Bearer scoped-3 OAUTH',
    ])
    expect(String(requests[0]?.body)).toBe(form)
    await clock.advance(600_000)
    await ask()
    expect(shapes(requests.slice(4))[0]).toContain('id.example')
  })
})

describe('refusals', () => {
  test('a token file that was replaced is read again', async () => {
    let file = 'OLD'
    const read = (): string => file
    const { ask, requests } = account({ kind: 'token', read }, ({ headers }) =>
      headers['authorization'] === 'Bearer OLD' ? answer(401, '') : undefined,
    )
    file = 'NEW'
    await ask()
    expect(shapes(requests).slice(0, 2).join(' ')).toMatch(/Bearer OLD.*Bearer NEW/)
  })

  test('a token that stays refused is sent once, and the refusal told', async () => {
    const { ask, requests } = account(tokenLogin, () => answer(401, '{"code":"390303"}'))
    await expect(ask()).rejects.toMatchObject({ reaction: 'wait', code: '390303' })
    expect(requests.length).toBe(1)
  })

  test('a key that was rotated is read again', async () => {
    const next = makeKey()
    const { ask, requests } = account({ kind: 'key', key: KEY, reload: () => next }, (request) =>
      request.url.includes('acct.example') && issuer(request).includes(fingerprint(KEY))
        ? answer(401, '')
        : undefined,
    )
    await ask()
    expect(requests.filter((request) => issuer(request).includes(fingerprint(next))).length).toBe(2)
  })
})

describe('clocks that differ', () => {
  test.each([-600_000, -120_000, -40_000, 0, 40_000, 600_000, 890_000])(
    'by %i ms are made up for',
    async (aheadMs) => {
      await expect(skewed(aheadMs).ask()).resolves.toBeDefined()
    },
  )

  test.each([
    [-7_200_000, '7200 s ahead of'],
    [7_200_000, '7200 s behind'],
  ])('by %i ms are named', async (aheadMs, text) => {
    await expect(skewed(aheadMs).ask()).rejects.toMatchObject({
      reaction: 'fail',
      message: expect.stringContaining(text) as string,
    })
  })
})
