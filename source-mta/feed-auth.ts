import { ConfigError } from '../connector/api/errors.ts'
import { Password } from '../connector/api/password.ts'

/** How a feed's server wants to be asked. The secrets are revealed only while a request is made. */
export type FeedAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'query'; readonly name: string; readonly value: Password }
  | { readonly kind: 'header'; readonly name: string; readonly value: Password }
  | { readonly kind: 'basic'; readonly user: string; readonly value: Password }

export const NO_AUTH: FeedAuth = { kind: 'none' }

/** Reads `none`, `query:NAME:VALUE`, `header:NAME:VALUE` or `basic:USER:PASSWORD`. Throws a `ConfigError` without the secret. */
export function parseAuth(text: Password): FeedAuth {
  const [, kind = '', name = '', secret = ''] =
    /^(\w+)(?::([^:]+):(.+))?$/s.exec(text.reveal()) ?? []
  if (kind === 'none' && name === '') return NO_AUTH
  const value = new Password(secret)
  if (name !== '' && kind === 'basic') return { kind, user: name, value }
  const isToken = /^[!#$%&'*+.^`|~\w-]+$/.test(name)
  if (isToken && (kind === 'query' || kind === 'header')) return { kind, name, value }
  throw new ConfigError('must be none, query:NAME:VALUE, header:NAME:VALUE or basic:USER:PASSWORD')
}

/** What goes into the request for `auth`. */
export function authorize(
  url: URL,
  auth: FeedAuth,
): { readonly url: URL; readonly headers: Readonly<Record<string, string>> } {
  if (auth.kind === 'none') return { url, headers: {} }
  const secret = auth.value.reveal()
  if (auth.kind === 'header') return { url, headers: { [auth.name.toLowerCase()]: secret } }
  if (auth.kind === 'basic') {
    const token = Buffer.from(`${auth.user}:${secret}`).toString('base64')
    return { url, headers: { authorization: `Basic ${token}` } }
  }
  const withKey = new URL(url)
  withKey.searchParams.set(auth.name, secret)
  return { url: withKey, headers: {} }
}

const SECRET_MIN = 4

/** `text` with the secret of `auth` taken out, as it is and as it stands in a URL: servers repeat it in their errors. */
export function withoutSecret(text: string, auth: FeedAuth): string {
  if (auth.kind === 'none') return text
  const secret = auth.value.reveal()
  // A shorter one would blot out ordinary text.
  if (secret.length < SECRET_MIN) return text
  const forms = new Set([
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ k: secret }).toString().slice(2),
    Buffer.from(auth.kind === 'basic' ? `${auth.user}:${secret}` : secret).toString('base64'),
  ])
  return [...forms].reduce((clean, form) => clean.replaceAll(form, '[hidden]'), text)
}
