import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'

const BYTES_MAX = 20_000_000
const TAIL_CHARS = 2_000

/** A log file that never grows beyond 20 MB: a full one becomes `NAME.1`, and the one before that goes. */
export class RollingLog {
  readonly file: string
  #bytes: number
  readonly #say: (text: string) => void
  #tail = ''
  #isSpoilt = false

  /** `say` is told once when the file cannot be written. */
  constructor(file: string, say: (text: string) => void) {
    this.file = file
    this.#say = say
    mkdirSync(path.dirname(file), { recursive: true })
    this.#bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  }

  /** Never throws: a full disk costs the log its lines, not the stack its supervisor. */
  write(chunk: Buffer): void {
    this.#tail = (this.#tail + chunk.toString('utf8')).slice(-TAIL_CHARS)
    try {
      if (this.#bytes + chunk.length > BYTES_MAX) {
        renameSync(this.file, `${this.file}.1`)
        this.#bytes = 0
      }
      appendFileSync(this.file, chunk)
      this.#bytes += chunk.length
    } catch (error) {
      if (!this.#isSpoilt) this.#say(`The log ${this.file} cannot be written: ${String(error)}`)
      this.#isSpoilt = true
    }
  }

  /** The last lines, for a message about why a process ended. */
  tail(): string {
    return this.#tail.trim()
  }
}
