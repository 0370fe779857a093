import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { ConfigError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { parseProperties } from '../runtime/properties.ts'

/** Kafka Connect's extension, whose name in `rest.extension.classes` switches authentication on. */
export const BASIC_AUTH_EXTENSION =
  'org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension'

const FILE_KEY = 'rest.basic.auth.credentials.file'
const NAME_KEY = 'rest.basic.auth.username'
const PASSWORD_KEY = 'rest.basic.auth.password'
const OPEN_KEY = 'rest.basic.auth.open.paths'
/** What workers ask of each other, which has an authentication of its own (KIP-507). */
const INTERNAL = /^(POST \/connectors\/[^/]+\/tasks|PUT \/connectors\/[^/]+\/fence)\/?$/

/** Who may use the REST API and the page: the users of a file, or one given by name and password. */
export class BasicAuth {
  readonly #digests: ReadonlyMap<string, Buffer>
  readonly #openPaths: ReadonlySet<string>

  /** Passwords are kept as digests only. */
  constructor(users: ReadonlyMap<string, string>, openPaths: readonly string[] = []) {
    this.#digests = new Map([...users].map(([name, password]) => [name, digest(password)]))
    this.#openPaths = new Set(openPaths)
  }

  /**
   * What the worker's properties ask for; undefined: no authentication. `${…}` must be resolved.
   *
   * @throws ConfigError that names the key, never a user or a password.
   */
  static of(props: Props): BasicAuth | undefined {
    const users = new Map<string, string>()
    const file = props[FILE_KEY]?.trim()
    if (file !== undefined && file !== '') {
      for (const [name, password] of Object.entries(readCredentials(file)))
        users.set(name, password)
    }
    const name = props[NAME_KEY]
    const password = props[PASSWORD_KEY]
    if ((name === undefined) !== (password === undefined)) {
      throw new ConfigError(
        `${NAME_KEY} and ${PASSWORD_KEY} belong together; one of them is missing.`,
      )
    }
    if (name !== undefined && password !== undefined) users.set(name, password)
    const isWanted = (props['rest.extension.classes'] ?? '')
      .split(',')
      .some((text) => text.trim() === BASIC_AUTH_EXTENSION)
    if (users.size === 0 && !isWanted && file === undefined) return undefined
    if (users.size === 0 || [...users].some((user) => user.includes(''))) {
      throw new ConfigError(
        `Basic authentication needs users with passwords: name them in ${FILE_KEY} (a properties file, name=password), or in ${NAME_KEY} and ${PASSWORD_KEY}.`,
      )
    }
    const open = (props[OPEN_KEY] ?? '').split(',').map((text) => text.trim())
    return new BasicAuth(
      users,
      open.filter((text) => text !== ''),
    )
  }

  /** Whether a request comes from a known user, or needs none. Takes as long for a wrong user as for a wrong password. */
  allows({ headers, method = 'GET', url = '/' }: IncomingMessage): boolean {
    const path = url.split(/[?#]/)[0] ?? '/'
    if (this.#openPaths.has(path) || INTERNAL.test(`${method} ${path}`)) return true
    // A browser asks without credentials whether it may ask at all.
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) return true
    const [, encoded] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(headers.authorization ?? '') ?? []
    if (encoded === undefined) return false
    const text = Buffer.from(encoded, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon < 0) return false
    const known = this.#digests.get(text.slice(0, colon))
    const isEqual = timingSafeEqual(digest(text.slice(colon + 1)), known ?? NOBODY)
    return isEqual && known !== undefined
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The digest of no password that anybody could send. */
const NOBODY = Buffer.alloc(32)

function readCredentials(file: string): Readonly<Record<string, string>> {
  try {
    return parseProperties(readFileSync(file, 'utf8'))
  } catch (cause) {
    // Not its message: a syntax error would quote a line of the file.
    throw new ConfigError(`${FILE_KEY}: the file cannot be read as properties (name=password).`, {
      cause,
    })
  }
}
