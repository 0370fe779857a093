// A certificate authority that signs exactly one certificate and is forgotten: its key is kept nowhere, so whoever
// trusts it trusts that one server and nothing else (RFC 5280, ECDSA on P-256).
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'
import {
  bits,
  boolean,
  integer,
  objectId,
  octets,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.ts'

/** All of it as PEM. */
export interface Certificates {
  /** What clients trust. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const DAY_MS = 86_400_000
/** Apple's and other clients refuse certificates that are valid for longer than 825 days. */
export const CERTIFICATE_DAYS = 800
const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
const LOOPBACK_V6 = Buffer.from('00000000000000000000000000000001', 'hex')

/** A new authority and a server certificate of it for `hosts` (names and IPv4 addresses) and `::1`. */
export function makeCertificates(hosts: readonly string[], nowMs: number): Certificates {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // Two authorities of one name would be taken for each other by clients that were given both.
  const issuer = nameOf(`Local Snowflake CA ${randomBytes(4).toString('hex')}`)
  const common = { issuer, signer: authority.privateKey, authority: authority.publicKey, nowMs }
  return {
    ca: certificate({ ...common, subject: issuer, key: authority.publicKey, extensions: CA }),
    cert: certificate({
      ...common,
      subject: nameOf('Local Snowflake'),
      key: server.publicKey,
      extensions: serverExtensions(hosts),
    }),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

interface CertificateParts {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly signer: KeyObject
  readonly authority: KeyObject
  readonly key: KeyObject
  readonly nowMs: number
  readonly extensions: readonly Buffer[]
}

function certificate({ issuer, subject, signer, nowMs, ...parts }: CertificateParts): string {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const signed = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_WITH_SHA256,
    issuer,
    // From yesterday on: clocks of containers and their hosts differ.
    sequence(time(nowMs - DAY_MS), time(nowMs + CERTIFICATE_DAYS * DAY_MS)),
    subject,
    parts.key.export({ type: 'spki', format: 'der' }),
    tagged(
      3,
      sequence(
        ...parts.extensions,
        extension('2.5.29.14', octets(keyId(parts.key))),
        extension('2.5.29.35', sequence(tagged(0, keyId(parts.authority), true))),
      ),
    ),
  )
  const der = sequence(signed, ECDSA_WITH_SHA256, bits(sign('sha256', signed, signer)))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

const nameOf = (commonName: string): Buffer =>
  sequence(set(sequence(objectId('2.5.4.3'), utf8(commonName))))

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value))

const keyId = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()

/** basicConstraints CA with no authority below it; keyUsage keyCertSign and cRLSign. */
const CA = [
  extension('2.5.29.19', sequence(boolean(true), integer(Buffer.from([0]))), true),
  extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true),
]

/** Not an authority; digitalSignature; serverAuth; the names that it is good for. */
function serverExtensions(hosts: readonly string[]): readonly Buffer[] {
  const names = hosts.map((host) =>
    isIPv4(host)
      ? tagged(7, Buffer.from(host.split('.').map(Number)), true)
      : tagged(2, Buffer.from(host), true),
  )
  return [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
    extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(...names, tagged(7, LOOPBACK_V6, true))),
  ]
}
