// `mta-connect sql`: statements from the command line, a file, standard input or a prompt.
import { text } from 'node:stream/consumers'
import { ConnectError, toMessage } from '../api/errors.ts'
import { openConnection } from './sql/connection.ts'
import { readOptions, USAGE } from './sql/options.ts'
import { type RunOptions, runPrompt, runScript, type Terminal } from './sql/run.ts'

const WIDEST_CELL_ON_SCREEN = 60

async function main(terminal: Terminal): Promise<number> {
  const options = await readOptions(process.argv.slice(2), process.env)
  if (options === 'help') {
    terminal.output.write(USAGE)
    return 0
  }
  const isScreen = process.stdout.isTTY
  const run: RunOptions = {
    format: options.format,
    goesOn: options.goesOn,
    view: { cellMax: isScreen ? WIDEST_CELL_ON_SCREEN : undefined },
  }
  const connection = await openConnection(options.account, options.limits)
  try {
    if (options.script === undefined && process.stdin.isTTY)
      return (await runPrompt(connection, terminal, run)) === 0 ? 0 : 1
    const script = options.script ?? { name: 'standard input', text: await text(process.stdin) }
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    const failed = await runScript(connection, script, terminal, { ...run, signal: stop.signal })
    return failed === 0 ? 0 : 1
  } finally {
    await connection.close()
  }
}

// `… | head` closes the pipe: then nobody wants the rest.
process.stdout.on('error', () => process.exit(0))
try {
  process.exitCode = await main({
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
  })
} catch (error) {
  if (!(error instanceof ConnectError)) throw error
  process.stderr.write(`sql: ${toMessage(error)}\n`)
  process.exitCode = 2
}
