// The statements of a script or of a prompt, one after the other.
import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import { toMessage } from '../../api/errors.ts'
import type { Connection } from './connection.ts'
import { FORMATS, type Format, formatResult, type TableView } from './output.ts'
import { splitScript } from './statements.ts'

export interface Terminal {
  readonly input: Readable
  readonly output: Writable
  readonly errors: Writable
}

export interface RunOptions {
  readonly format: Format
  readonly view: TableView
  /** Whether statements after a failed one are run as well. */
  readonly goesOn: boolean
}

/**
 * Runs a script; results go to `output`, failures with their line to `errors`. Returns how many statements failed: at most one
 * unless `goesOn`.
 */
export async function runScript(
  connection: Connection,
  script: { readonly name: string; readonly text: string },
  terminal: Terminal,
  options: RunOptions & { readonly signal: AbortSignal },
): Promise<number> {
  const { statements, rest, isOpen } = splitScript(script.text)
  if (rest !== undefined && isOpen) {
    terminal.errors.write(
      `sql: ${script.name} line ${rest.line}: a quoted text or comment is not closed\n`,
    )
    return 1
  }
  let failed = 0
  for (const { text, line } of rest === undefined ? statements : [...statements, rest]) {
    try {
      const result = await connection.run(text, options.signal)
      await write(terminal.output, formatResult(result, options.format, options.view))
      if (result.isCut) terminal.errors.write(`sql: ${cutNotice(result.rows.length)}\n`)
    } catch (error) {
      failed++
      terminal.errors.write(`sql: ${script.name} line ${line}: ${toMessage(error)}\n`)
      if (!options.goesOn || options.signal.aborted) break
    }
  }
  return failed
}

const cutNotice = (rows: number): string =>
  `only the first ${rows} rows are shown; --max-rows N shows more`

/** Waits while a slow reader, such as a pager, is behind. */
function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

const HELP = `Statements end with a semicolon and may take several lines.
  \\format table|csv|json   how results are shown
  \\q, exit, quit           leave (or Ctrl-D); Ctrl-C cancels what runs
`

/** A prompt until the input ends. Returns how many statements failed. */
export async function runPrompt(
  connection: Connection,
  terminal: Terminal,
  options: RunOptions,
): Promise<number> {
  const lines = createInterface({
    input: terminal.input,
    output: terminal.output,
    terminal: true,
    historySize: 1_000,
  })
  let format = options.format
  let pending = ''
  let failed = 0
  let running: AbortController | undefined
  const ask = (): void => {
    lines.setPrompt(pending === '' ? `${connection.context()}> ` : '... ')
    lines.prompt()
  }
  lines.on('SIGINT', () => {
    if (running !== undefined) running.abort()
    else {
      pending = ''
      terminal.output.write('\n')
      ask()
    }
  })
  const run = async (text: string): Promise<void> => {
    running = new AbortController()
    const { signal } = running
    failed += await runScript(connection, { name: 'prompt', text }, terminal, {
      ...options,
      format,
      signal,
    })
    running = undefined
  }
  ask()
  for await (const line of lines) {
    const command = pending === '' ? line.trim() : ''
    if (/^(\\q|exit|quit);?$/i.test(command)) break
    if (command.startsWith('\\') || /^help;?$/i.test(command)) {
      const chosen = formatCommand(command)
      format = chosen ?? format
      terminal.output.write(chosen === undefined ? HELP : `Results are shown as ${chosen}.\n`)
    } else {
      pending += `${line}\n`
      const { statements, rest } = splitScript(pending)
      if (statements.length > 0 && rest === undefined) {
        const text = pending
        pending = ''
        await run(text)
      } else if (rest === undefined && statements.length === 0) pending = ''
    }
    ask()
  }
  lines.close()
  return failed
}

function formatCommand(command: string): Format | undefined {
  const [, name = ''] = /^\\format\s+(\w+)$/.exec(command) ?? []
  return FORMATS.find((format) => format === name)
}
