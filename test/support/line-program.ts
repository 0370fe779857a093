// A program that answers one line of JSON with another: clients in other languages, driven step by step.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface ProgramError {
  readonly name: string
  readonly status: number | null
  readonly text: string
}

export type ProgramAnswer =
  | { readonly ok: unknown; readonly error?: undefined }
  | { readonly ok?: undefined; readonly error: ProgramError }

/** One such program. Commands run one after the other. */
export class LineProgram {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  #errors = ''

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new TypeError(`${command} has no output.`)
    stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4_000)
    })
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** The answer, an error of the client among them. @throws Error when the program ends instead. */
  async ask(command: Readonly<Record<string, unknown>>): Promise<ProgramAnswer> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
    for (;;) {
      const { value, done } = (await this.#lines.next()) as IteratorResult<string, undefined>
      if (done === true) throw new Error(`The program ended: ${this.#errors}`)
      // Libraries write to standard output as they like.
      if (value.startsWith('{"ok"') || value.startsWith('{"error"'))
        return JSON.parse(value) as ProgramAnswer
    }
  }

  /** What the client returned. @throws Error for an error of the client. */
  async run(command: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { ok, error } = await this.ask(command)
    if (error !== undefined) throw new Error(`${JSON.stringify(command)}: ${error.text}`)
    return ok
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
