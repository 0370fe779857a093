import { readFileSync } from 'node:fs'
import type { ServerOptions } from 'node:https'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'

type Key = (name: string) => string | undefined

const JKS_MAGIC = Buffer.from([0xfe, 0xed, 0xfe, 0xed])

/**
 * TLS of a listener from Kafka Connect's keys, `listeners.https.ssl.*` before `ssl.*`: key stores in PEM (KIP-651: a file, or chain
 * and key in place) or PKCS#12, and `ssl.client.auth` with a trust store in PEM.
 *
 * @throws ConfigError that names the key; of a JKS store it says how to convert it.
 */
export function tlsOptions(props: Props): ServerOptions {
  const key: Key = (name) => props[`listeners.https.ssl.${name}`] ?? props[`ssl.${name}`]
  return { minVersion: 'TLSv1.2', ...keyStore(key), ...clientAuth(key) }
}

function keyStore(key: Key): ServerOptions {
  const file = key('keystore.location')
  const inPlace = { cert: key('keystore.certificate.chain'), key: key('keystore.key') }
  const keyPassword = key('key.password')
  const passphrase = keyPassword === undefined ? {} : { passphrase: keyPassword }
  if (file === undefined) {
    if (inPlace.cert === undefined || inPlace.key === undefined) {
      throw new ConfigError(
        'An https listener needs ssl.keystore.location (PEM with certificates and key, or PKCS12), or ssl.keystore.certificate.chain and ssl.keystore.key.',
      )
    }
    return { ...inPlace, ...passphrase }
  }
  const bytes = read(file, 'ssl.keystore.location')
  const type = (key('keystore.type') ?? guessType(bytes)).toUpperCase()
  if (type === 'PEM') return { cert: bytes, key: bytes, ...passphrase }
  if (type === 'PKCS12') {
    const password = key('keystore.password')
    return { pfx: bytes, ...(password !== undefined && { passphrase: password }) }
  }
  throw unsupported('ssl.keystore', file, type)
}

function clientAuth(key: Key): ServerOptions {
  const wanted = (key('client.auth') ?? 'none').toLowerCase()
  if (wanted === 'none') return {}
  if (wanted !== 'required' && wanted !== 'requested') {
    throw new ConfigError(
      `Invalid value ${wanted} for configuration ssl.client.auth: String must be one of: required, requested, none`,
    )
  }
  const file = key('truststore.location')
  const inPlace = key('truststore.certificates')
  if (file === undefined && inPlace === undefined) {
    throw new ConfigError(
      `ssl.client.auth=${wanted} needs ssl.truststore.location or ssl.truststore.certificates (PEM).`,
    )
  }
  const ca = file === undefined ? inPlace : read(file, 'ssl.truststore.location')
  if (file !== undefined && Buffer.isBuffer(ca)) {
    const type = (key('truststore.type') ?? guessType(ca)).toUpperCase()
    if (type !== 'PEM') throw unsupported('ssl.truststore', file, type)
  }
  return {
    requestCert: true,
    rejectUnauthorized: wanted === 'required',
    ...(ca !== undefined && { ca }),
  }
}

function read(file: string, key: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ConfigError(`${key} ${file} cannot be read: ${toMessage(cause)}`, { cause })
  }
}

/** Without `ssl.keystore.type`, whose default in Java is JKS, the file tells. */
function guessType(bytes: Buffer): string {
  if (bytes.subarray(0, 4).equals(JKS_MAGIC)) return 'JKS'
  return bytes[0] === 0x30 ? 'PKCS12' : 'PEM'
}

function unsupported(key: string, file: string, type: string): ConfigError {
  const isKeyStore = key.endsWith('keystore')
  const target = isKeyStore ? `${file}.p12` : `${file}.pem`
  const command = isKeyStore
    ? `keytool -importkeystore -srckeystore ${file} -srcstoretype ${type} -destkeystore ${target} -deststoretype PKCS12`
    : `keytool -exportcert -rfc -keystore ${file} -alias ALIAS -file ${target}`
  return new ConfigError(
    `${key}.type ${type} is not supported; convert the store: ${command}, then set ${key}.location=${target} and ${key}.type=${isKeyStore ? 'PKCS12' : 'PEM'}.`,
  )
}
