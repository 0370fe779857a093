import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Password } from '../../../connector/api/password.ts'
import {
  accountName,
  expiryOf,
  fingerprint,
  KeyPairAuth,
  readPrivateKey,
} from '../../../connector/snowflake/auth.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PKCS8 = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
const PKCS1 = String(privateKey.export({ type: 'pkcs1', format: 'pem' }))
const PASSPHRASE = 'a secret phrase'
const ENCRYPTED = String(
  privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: PASSPHRASE,
  }),
)
const bare = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\n/g, '')
const claimsOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >

const readWrongly = (): unknown => readPrivateKey(ENCRYPTED, new Password('wrong one'))

describe('readPrivateKey', () => {
  test.each([
    ['PKCS#8', PKCS8],
    ['PKCS#1', PKCS1],
    ['PKCS#8 without header', bare(PKCS8)],
    ['PKCS#1 without header', bare(PKCS1)],
    ['PKCS#8 in one line', PKCS8.replaceAll('\n', String.raw`\n`)],
    ['PKCS#8 with blanks for line ends', PKCS8.replaceAll('\n', ' ')],
  ])('reads %s', (_, text) => {
    expect(fingerprint(readPrivateKey(text, undefined))).toBe(fingerprint(privateKey))
  })

  test.each([
    ['encrypted PKCS#8', ENCRYPTED],
    ['encrypted PKCS#8 without header', bare(ENCRYPTED)],
  ])('reads %s', (_, text) => {
    const key = readPrivateKey(text, new Password(PASSPHRASE))
    expect(fingerprint(key)).toBe(fingerprint(privateKey))
  })

  test('names neither key nor passphrase when it cannot read one', () => {
    expect(readWrongly).toThrow('with the right passphrase')
    expect(readWrongly).not.toThrow(/wrong one|MII/)
  })

  test('refuses a key that is not RSA', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    expect(() =>
      readPrivateKey(String(ec.export({ type: 'pkcs8', format: 'pem' })), undefined),
    ).toThrow('expected an RSA key')
  })
})

describe('KeyPairAuth', () => {
  const identity = { account: 'org-acct.eu-west-1', user: 'mta', role: 'LOADER', key: privateKey }

  test('signs what Snowflake asks for', () => {
    const clock = new FakeClock({ nowMs: 1_700_000_000_000 })
    const jwt = new KeyPairAuth(identity, clock).jwt()
    const [header = '', body = '', signature = ''] = jwt.split('.')
    const verify = createVerify('RSA-SHA256').update(`${header}.${body}`)
    expect(verify.verify(createPublicKey(PKCS8), signature, 'base64url')).toBe(true)
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'RS256',
      typ: 'JWT',
    })
    expect(claimsOf(jwt)).toEqual({
      iss: `ORG-ACCT.MTA.${fingerprint(privateKey)}`,
      sub: 'ORG-ACCT.MTA',
      iat: 1_699_999_970,
      exp: 1_700_003_510,
      scp: 'session:role:LOADER',
    })
  })

  test('keeps a token until its last minute', async () => {
    const clock = new FakeClock({ nowMs: 1_700_000_000_000 })
    const auth = new KeyPairAuth(identity, clock)
    const first = auth.jwt()
    await clock.advance(3_440_000)
    expect(auth.jwt()).toBe(first)
    await clock.advance(20_000)
    expect(auth.jwt()).not.toBe(first)
  })
})

test('accountName has no region and is in upper case', () => {
  expect(accountName('xy12345.us-east-1')).toBe('XY12345')
})

test.each([
  [{ exp: 1_700_000_000 }, 1_700_000_000_000],
  [{ exp: 1_700_000_000_000 }, 1_700_000_000_000],
  [{}, undefined],
])('expiryOf %j', (claims, ms) => {
  expect(expiryOf(`e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`)).toBe(ms)
})
