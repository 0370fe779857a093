// Starts the writer of a round, kills it at some moment, and says what it had acknowledged by then.
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { ROOT } from '../support/needs.ts'

const WRITER = path.join(import.meta.dirname, 'iceberg-writer.ts')

/** What a writer said before it died. */
export interface Seen {
  /** -1 and 0 when there was none. */
  readonly token: number
  readonly generation: number
  readonly commits: number
  readonly evolved: number
  readonly replaced: number
  readonly failure: string | undefined
}

/** So long after the writer said that word. */
export interface Moment {
  readonly after: 'opening' | 'ready'
  readonly ms: number
}

/** A writer that is loaded and waits, so that the time for that is spent while the round before is looked at. */
export class Writer {
  readonly #child: ChildProcess
  readonly #ended: Promise<NodeJS.Signals | null>
  #output = ''
  #errors = ''
  #moment: Moment | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(folder: string, seed: number) {
    const child = spawn(process.execPath, ['--import', 'tsx', WRITER, folder, String(seed)], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdin.on('error', () => {
      // It died before it was told to begin, which `#ended` tells.
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
      this.#watch()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.#ended = new Promise((resolve) => {
      child.on('close', (_code, signal) => resolve(signal))
    })
  }

  /** Lets it write, and kills it at the moment. */
  async killAt(moment: Moment): Promise<Seen> {
    this.#moment = moment
    this.#child.stdin?.write('go\n')
    const signal = await this.#ended
    clearTimeout(this.#timer)
    const numbers = (word: string): number[] =>
      [...this.#output.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, n]) => Number(n))
    const tokens = numbers('committed')
    const generations = numbers('replaced')
    return {
      token: tokens.at(-1) ?? -1,
      generation: generations.at(-1) ?? 0,
      commits: tokens.length,
      evolved: this.#output.match(/^evolved$/gm)?.length ?? 0,
      replaced: generations.length,
      failure: signal === 'SIGKILL' ? undefined : `the writer ended by itself: ${this.#errors}`,
    }
  }

  /** For one that is not needed any more. */
  async discard(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #watch(): void {
    const moment = this.#moment
    if (moment === undefined || this.#timer !== undefined) return
    if (!this.#output.includes(`${moment.after}\n`)) return
    this.#timer = setTimeout(() => this.#child.kill('SIGKILL'), moment.ms)
  }
}
