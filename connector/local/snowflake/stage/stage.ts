// The object store that clients in file mode upload to: just enough of S3's PutObject. A prefix proves itself, since
// its key and its token are made of its name and of a secret on disk: a client's uploads go on after a restart, and
// the file it then registers is answered by what became of its channel.
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../api/clock.ts'
import { ApiError } from '../errors.ts'
import type { Answer, Call } from '../http.ts'
import { decodeAwsChunks } from './aws-chunks.ts'

/** Where one client of one pipe uploads to, and what it encrypts with. */
export interface StageLocation {
  /** `DB/SCHEMA/<uuid>/`: no other client has it. */
  readonly prefix: string
  /** AES-256. */
  readonly pipeKey: Buffer
  /** The session token that uploads below the prefix must carry. */
  readonly token: string
}

/** What was uploaded. */
export interface StageObject {
  readonly bytes: Uint8Array
  /** As in the ETag, without quotes. */
  readonly etag: string
}

export const BUCKET = 'stage'
const OBJECTS_BYTES_MAX = 256 * 1_024 * 1_024
/** A file that nobody registered for so long gives way to new ones. */
const ABANDONED_MS = 300_000
const KEY_LENGTH_MAX = 1_024

/** True for the paths that `Stage.handle` answers. */
export const isStagePath = (path: string): boolean => path.startsWith(`/${BUCKET}/`)

interface Stored extends StageObject {
  readonly atMs: number
}

/** See the head of this file. */
export class Stage {
  readonly #secret: Uint8Array
  readonly #clock: Clock
  /** By `<bucket>/<key>`, oldest first. */
  readonly #objects = new Map<string, Stored>()
  #bytes = 0

  constructor(options: { readonly secret: Uint8Array; readonly clock: Clock }) {
    this.#secret = options.secret
    this.#clock = options.clock
  }

  /** A new place below `folder`, e.g. `DB/SCHEMA`. */
  newLocation(folder: string): StageLocation {
    return this.#location(`${folder}/${randomUUID()}/`)
  }

  #location(prefix: string): StageLocation {
    return {
      prefix,
      pipeKey: this.#derive('key', prefix),
      token: this.#derive('token', prefix).toString('base64url'),
    }
  }

  #derive(what: string, prefix: string): Buffer {
    return createHmac('sha256', this.#secret).update(`${what}\0${prefix}`).digest()
  }

  /** The AES key of whoever uploads below the prefix of `<bucket>/<prefix><name>`. */
  keyOf(filePath: string): Buffer {
    return this.#location(prefixOf(filePath)).pipeKey
  }

  /** PutObject. @throws ApiError 403, 400, 405; 503 when too much waits to be registered. */
  handle(call: Call): Answer {
    if (call.method !== 'PUT')
      throw new ApiError(405, 'MethodNotAllowed', `The stage takes no ${call.method}.`)
    const filePath = decodePath(call.path)
    this.#authorize(filePath, call.headers['x-amz-security-token'])
    const isChunked =
      call.headers['content-encoding']?.includes('aws-chunked') === true ||
      String(call.headers['x-amz-content-sha256']).startsWith('STREAMING-')
    const bytes = isChunked ? decodeAwsChunks(call.body) : call.body
    const etag = createHash('md5').update(bytes).digest('hex')
    this.#keep(filePath, { bytes, etag, atMs: this.#clock.now() })
    return { status: 200, body: undefined, headers: { etag: `"${etag}"` } }
  }

  #authorize(filePath: string, token: string | readonly string[] | undefined): void {
    const expected = Buffer.from(this.#location(prefixOf(filePath)).token)
    const given = Buffer.from(typeof token === 'string' ? token : '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new ApiError(403, 'AccessDenied', 'The session token is not that of this prefix.')
  }

  #keep(filePath: string, object: Stored): void {
    this.remove(filePath)
    for (const [name, old] of this.#objects) {
      const isAbandoned = object.atMs - old.atMs > ABANDONED_MS
      if (!isAbandoned || this.#bytes + object.bytes.byteLength <= OBJECTS_BYTES_MAX) break
      this.remove(name)
    }
    if (this.#bytes > 0 && this.#bytes + object.bytes.byteLength > OBJECTS_BYTES_MAX)
      throw new ApiError(503, 'SlowDown', 'Too many uploaded bytes wait to be registered.')
    this.#objects.set(filePath, object)
    this.#bytes += object.bytes.byteLength
  }

  get(filePath: string): StageObject | undefined {
    return this.#objects.get(filePath)
  }

  /** Lets go of an object; one that is not there is fine. */
  remove(filePath: string): void {
    const object = this.#objects.get(filePath)
    if (object === undefined) return
    this.#objects.delete(filePath)
    this.#bytes -= object.bytes.byteLength
  }
}

/** `stage/DB/S/<uuid>/0.ndjson` → `DB/S/<uuid>/`. */
const prefixOf = (filePath: string): string =>
  filePath.slice(filePath.indexOf('/') + 1, filePath.lastIndexOf('/') + 1)

function decodePath(path: string): string {
  try {
    const decoded = decodeURIComponent(path.slice(1))
    if (decoded.length <= KEY_LENGTH_MAX) return decoded
  } catch (error) {
    throw new ApiError(400, 'InvalidURI', 'The key is not percent-encoded UTF-8.', { cause: error })
  }
  throw new ApiError(400, 'KeyTooLongError', `The key is longer than ${KEY_LENGTH_MAX}.`)
}
