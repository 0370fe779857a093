import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'

/** A key pair for tests, as PEM. */
export interface TestKey {
  readonly privateKeyPem: string
  readonly publicKeyPem: string
}

export function makeKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A key-pair JWT as clients make it; `claims` replace what they would say. */
export function keyPairJwt(
  key: TestKey,
  options: { user: string; nowMs: number; claims?: Readonly<Record<string, unknown>> },
): string {
  const der = createPublicKey(key.publicKeyPem).export({ type: 'spki', format: 'der' })
  const subject = `LOCAL.${options.user}`
  const issued = Math.floor(options.nowMs / 1_000)
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({
    iss: `${subject}.SHA256:${createHash('sha256').update(der).digest('base64')}`,
    sub: subject,
    iat: issued,
    exp: issued + 3_540,
    ...options.claims,
  })}`
  const signature = sign('RSA-SHA256', Buffer.from(signed), key.privateKeyPem)
  return `${signed}.${signature.toString('base64url')}`
}
