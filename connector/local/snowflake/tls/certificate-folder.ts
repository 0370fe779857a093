// Where the certificates of a local endpoint stay, so that clients need to be told of the authority only once.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../../../api/clock.ts'
import { replaceFile } from '../../iceberg/durable-files.ts'
import { systemClock } from '../system-clock.ts'
import { type Certificates, makeCertificates } from './certificates.ts'

/** Certificates with the file that clients are pointed to. */
export interface StoredCertificates extends Certificates {
  readonly caFile: string
}

const HOSTS = ['localhost', '127.0.0.1']
const RENEW_BEFORE_MS = 30 * 86_400_000

/**
 * The certificates in `folder`, made when there are none that are good for another 30 days; the authority is a new one
 * then. Good for localhost, 127.0.0.1 and ::1. The key can be read by its owner only.
 */
export async function keepCertificates(
  folder: string,
  clock: Clock = systemClock,
): Promise<StoredCertificates> {
  const caFile = path.join(folder, 'ca.pem')
  const file = path.join(folder, 'server.pem')
  const known = await readStored(caFile, file)
  if (known !== undefined && isGood(known, clock.now())) return { ...known, caFile }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const made = makeCertificates(HOSTS, clock.now())
  // The server's file last: it is what a start looks at.
  await replaceFile(caFile, `${caFile}.new`, made.ca)
  await writeFile(file, made.cert + made.key, { mode: 0o600 })
  return { ...made, caFile }
}

async function readStored(caFile: string, file: string): Promise<Certificates | undefined> {
  try {
    const both = await readFile(file, 'utf8')
    const key = both.indexOf('-----BEGIN PRIVATE KEY-----')
    if (key === -1) return undefined
    return { ca: await readFile(caFile, 'utf8'), cert: both.slice(0, key), key: both.slice(key) }
  } catch {
    return undefined // Not there, or not to be read: made anew, and writing says what is wrong with the folder.
  }
}

function isGood({ ca, cert, key }: Certificates, nowMs: number): boolean {
  try {
    const server = new X509Certificate(cert)
    const authority = new X509Certificate(ca)
    return (
      server.verify(authority.publicKey) &&
      server.checkPrivateKey(createPrivateKey(key)) &&
      Date.parse(server.validTo) - nowMs > RENEW_BEFORE_MS &&
      Date.parse(server.validFrom) <= nowMs
    )
  } catch {
    return false // Damaged: made anew.
  }
}
