// How Snowflake is reached and who asks: the keys of the group Connection and what they mean together.
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { boolean, nonEmpty, oneOf, password, string } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import { Password } from '../api/password.ts'
import type { Props } from '../api/task-context.ts'
import { readPrivateKey } from './auth.ts'
import { isLoopback } from './client.ts'
import type { OAuthLogin } from './oauth.ts'
import { NON_PROXY_HOSTS, type ProxySettings } from './http-proxy.ts'

/** For a key that may be left out and, when it is there, says something. */
export const optionalText = { default: undefined, check: (v: string | undefined) => blank(v) }
const blank = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : nonEmpty(value)

const AUTHENTICATORS = ['snowflake_jwt', 'programmatic_access_token', 'oauth'] as const

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
  'snowflake.authenticator': string({
    default: 'snowflake_jwt',
    importance: 'MEDIUM',
    group: 'Connection',
    doc: 'How the user logs in: snowflake_jwt (key pair), programmatic_access_token, or oauth.',
    check: (value) => oneOf(...AUTHENTICATORS)(value.trim().toLowerCase()),
  }),
  'snowflake.token': password<Password | undefined>({
    default: undefined,
    importance: 'MEDIUM',
    group: 'Connection',
    doc: 'The programmatic access token.',
  }),
  'snowflake.token.file': string<string | undefined>({
    ...optionalText,
    importance: 'MEDIUM',
    group: 'Connection',
    doc: 'A file that holds the programmatic access token, instead of snowflake.token. It is read again when Snowflake refuses the token.',
  }),
  'snowflake.oauth.client.id': string<string | undefined>({
    ...optionalText,
    importance: 'MEDIUM',
    group: 'Connection',
    doc: 'The OAuth client.',
  }),
  'snowflake.oauth.client.secret': password<Password | undefined>({
    default: undefined,
    importance: 'MEDIUM',
    group: 'Connection',
    doc: "The OAuth client's secret.",
  }),
  'snowflake.oauth.refresh.token': password<Password | undefined>({
    default: undefined,
    importance: 'MEDIUM',
    group: 'Connection',
    doc: "What access tokens are asked for with. Without it the client's own credentials are (grant client_credentials).",
  }),
  'snowflake.oauth.token.endpoint': string<string | undefined>({
    ...optionalText,
    importance: 'MEDIUM',
    group: 'Connection',
    doc: "Where access tokens come from. Default: the account's /oauth/token-request.",
    check: (value) => endpointProblem(value),
  }),
  'snowflake.oauth.include.scope': boolean({
    default: false,
    importance: 'LOW',
    group: 'Connection',
    doc: 'Whether to ask for a scope: snowflake.oauth.scope, or session:role: and the role.',
  }),
  'snowflake.oauth.scope': string<string | undefined>({
    ...optionalText,
    importance: 'LOW',
    group: 'Connection',
    doc: 'The scope to ask for.',
  }),
  'jvm.proxy.host': string<string | undefined>({
    ...optionalText,
    importance: 'LOW',
    group: 'Connection',
    doc: 'The HTTP proxy to reach Snowflake through, by CONNECT.',
  }),
  'jvm.proxy.port': string<string | undefined>({
    ...optionalText,
    importance: 'LOW',
    group: 'Connection',
    doc: "The proxy's port.",
    check: (value) => portProblem(value),
  }),
  'jvm.proxy.username': string<string | undefined>({
    ...optionalText,
    importance: 'LOW',
    group: 'Connection',
    doc: "The proxy's user, for basic authentication.",
  }),
  'jvm.proxy.password': password<Password | undefined>({
    default: undefined,
    importance: 'LOW',
    group: 'Connection',
    doc: "The proxy user's password.",
  }),
  'jvm.nonProxy.hosts': string({
    default: NON_PROXY_HOSTS,
    importance: 'LOW',
    group: 'Connection',
    doc: 'Hosts that are reached without the proxy, separated by |, with * at either end.',
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

/** How the user logs in. */
export type Login =
  | {
      readonly kind: 'key'
      readonly key: KeyObject
      /** Reads the key's file again. */
      readonly reload: (() => KeyObject) | undefined
    }
  | { readonly kind: 'token'; readonly read: () => string }
  | ({ readonly kind: 'oauth' } & OAuthLogin)

/**
 * How the configuration says to log in, from the texts, so that what is wrong is named beside whatever else is.
 *
 * @throws ConfigError when what it takes is missing, there twice, or cannot be read.
 */
export function loginOf(props: Props): Login {
  const authenticator = given(props, 'snowflake.authenticator')?.toLowerCase() ?? 'snowflake_jwt'
  if (authenticator === 'oauth') return { kind: 'oauth', ...oauthOf(props) }
  if (authenticator === 'programmatic_access_token') {
    const { text, file } = oneSource(props, 'snowflake.token')
    const read = (): string => tokenIn(text ?? readSecretFile(file ?? '', 'snowflake.token.file'))
    read()
    return { kind: 'token', read }
  }
  const key = privateKeyOf(props)
  const isFile = given(props, 'snowflake.private.key.file') !== undefined
  return { kind: 'key', key, reload: isFile ? () => privateKeyOf(props) : undefined }
}

const given = (props: Props, key: string): string | undefined => {
  const text = props[key]?.trim()
  return text === '' ? undefined : text
}

/** @throws ConfigError unless exactly one of the key and its `.file` is set. */
function oneSource(
  props: Props,
  key: string,
): { readonly text: string | undefined; readonly file: string | undefined } {
  const text = props[key]
  const file = props[`${key}.file`]?.trim()
  if ((text === undefined) === (file === undefined)) {
    throw new ConfigError(`Expected exactly one of ${key} and ${key}.file`)
  }
  return { text, file }
}

/** It goes into a header: it must be one line of visible ASCII. */
function tokenIn(text: string): string {
  const token = text.trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new ConfigError('The programmatic access token is not one word of visible ASCII characters')
}

function oauthOf(props: Props): OAuthLogin {
  const clientId = given(props, 'snowflake.oauth.client.id')
  const secret = given(props, 'snowflake.oauth.client.secret')
  if (clientId === undefined || secret === undefined) {
    throw new ConfigError(
      'snowflake.authenticator=oauth needs snowflake.oauth.client.id and snowflake.oauth.client.secret',
    )
  }
  const refresh = given(props, 'snowflake.oauth.refresh.token')
  const url = accountUrlOf(props['snowflake.url.name'] ?? '')
  const own = typeof url === 'string' ? '' : `${url.origin}/oauth/token-request`
  const role = given(props, 'snowflake.role.name')
  const scope =
    given(props, 'snowflake.oauth.scope') ??
    (role === undefined ? undefined : `session:role:${role}`)
  const hasScope = given(props, 'snowflake.oauth.include.scope')?.toLowerCase() === 'true'
  return {
    clientId,
    clientSecret: new Password(secret),
    refreshToken: refresh === undefined ? undefined : new Password(refresh),
    endpoint: given(props, 'snowflake.oauth.token.endpoint') ?? own,
    scope: hasScope ? scope : undefined,
  }
}

function endpointProblem(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const blankness = blank(value)
  if (blankness !== undefined) return blankness
  // Without a scheme accountUrlOf would take it for an account.
  const url = /^[a-z]+:\/\//i.test(value)
    ? accountUrlOf(value)
    : 'Expected an address with https://'
  return typeof url === 'string' ? url : undefined
}

function portProblem(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0
  return port >= 1 && port <= 65_535 ? undefined : 'Not a port, expected 1 to 65535'
}

/** The proxy of the configuration. @throws ConfigError when host and port, or user and password, are not both there. */
export function proxyOf(props: Props): ProxySettings | undefined {
  const host = given(props, 'jvm.proxy.host')
  const port = given(props, 'jvm.proxy.port')
  const user = given(props, 'jvm.proxy.username')
  const secret = given(props, 'jvm.proxy.password')
  if ((host === undefined) !== (port === undefined)) {
    throw new ConfigError('jvm.proxy.host and jvm.proxy.port go together, and only one is set')
  }
  if ((user === undefined) !== (secret === undefined)) {
    throw new ConfigError(
      'jvm.proxy.username and jvm.proxy.password go together, and only one is set',
    )
  }
  if (host === undefined) return undefined
  return {
    host,
    port: Number(port),
    user,
    password: secret === undefined ? undefined : new Password(secret),
    nonProxyHosts: props['jvm.nonProxy.hosts'] ?? NON_PROXY_HOSTS,
  }
}

/**
 * The private key of the configuration, from the texts, so that a key that is wrong is named beside whatever else is.
 *
 * @throws ConfigError when there is none, or two, or it cannot be read.
 */
function privateKeyOf(props: Props): KeyObject {
  const { text, file } = oneSource(props, 'snowflake.private.key')
  const passphrase = props['snowflake.private.key.passphrase']
  const pem = text ?? readSecretFile(file ?? '', 'snowflake.private.key.file')
  return readPrivateKey(pem, passphrase === undefined ? undefined : new Password(passphrase))
}

function readSecretFile(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`Invalid value ${file} for configuration ${key}`, {
      cause,
    })
  }
}
