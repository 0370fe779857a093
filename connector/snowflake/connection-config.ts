// How Snowflake is reached and who asks: the keys of the group Connection and what they mean together.
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { nonEmpty, password, string } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import { Password } from '../api/password.ts'
import type { Props } from '../api/task-context.ts'
import { readPrivateKey } from './auth.ts'
import { isLoopback } from './client.ts'

/** For a key that may be left out and, when it is there, says something. */
export const optionalText = { default: undefined, check: (v: string | undefined) => blank(v) }
const blank = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : nonEmpty(value)

/** The keys of the group Connection. */
export const CONNECTION_KEYS = {
  'snowflake.url.name': string({
    importance: 'HIGH',
    group: 'Connection',
    doc: "The account's address, e.g. org-account.snowflakecomputing.com. https:// and :443 may be left out; http:// is for this machine only.",
    check: (value) =>
      accountUrlOf(value) instanceof URL ? undefined : String(accountUrlOf(value)),
  }),
  'snowflake.account.name': string<string | undefined>({
    ...optionalText,
    importance: 'LOW',
    group: 'Connection',
    doc: "The account's name in authentication tokens. Default: the first part of the address.",
  }),
  'snowflake.user.name': string({
    importance: 'HIGH',
    group: 'Connection',
    doc: 'The user to write as.',
    check: nonEmpty,
  }),
  'snowflake.role.name': string<string | undefined>({
    ...optionalText,
    importance: 'HIGH',
    group: 'Connection',
    doc: "The role to write with. Default: the user's default role.",
  }),
  'snowflake.private.key': password<Password | undefined>({
    default: undefined,
    importance: 'HIGH',
    group: 'Connection',
    doc: "The user's RSA private key: PEM (PKCS#8, encrypted PKCS#8 or PKCS#1), or its base64 content without header and line ends.",
  }),
  'snowflake.private.key.file': string<string | undefined>({
    ...optionalText,
    importance: 'HIGH',
    group: 'Connection',
    doc: 'A file that holds the private key, instead of snowflake.private.key.',
  }),
  'snowflake.private.key.passphrase': password<Password | undefined>({
    default: undefined,
    importance: 'MEDIUM',
    group: 'Connection',
    doc: 'Decrypts the private key.',
  }),
}

/** A URL, or what is wrong with the text. */
export function accountUrlOf(text: string): URL | string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`
  let url: URL
  try {
    url = new URL(withScheme)
  } catch {
    return 'Not an address, expected e.g. org-account.snowflakecomputing.com'
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))
    return url
  return url.protocol === 'http:'
    ? 'http:// is only for addresses of this machine (127.0.0.1, localhost)'
    : `Expected https://, got ${url.protocol}//`
}

/** The account in the address. An address of this machine has none, and any name does there. */
export const accountOf = (url: URL): string =>
  isLoopback(url.hostname) ? 'LOCAL' : (url.hostname.split('.')[0] ?? url.hostname)

/**
 * The private key of the configuration, from the texts, so that a key that is wrong is named beside whatever else is.
 *
 * @throws ConfigError when there is none, or two, or it cannot be read.
 */
export function privateKeyOf(props: Props): KeyObject {
  const text = props['snowflake.private.key']
  const file = props['snowflake.private.key.file']?.trim()
  const passphrase = props['snowflake.private.key.passphrase']
  if ((text === undefined) === (file === undefined)) {
    throw new ConfigError(
      'Expected exactly one of snowflake.private.key and snowflake.private.key.file',
    )
  }
  const pem = text ?? readKeyFile(file ?? '')
  return readPrivateKey(pem, passphrase === undefined ? undefined : new Password(passphrase))
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`Invalid value ${file} for configuration snowflake.private.key.file`, {
      cause,
    })
  }
}
