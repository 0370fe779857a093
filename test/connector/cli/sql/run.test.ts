import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../../../connector/api/errors.ts'
import type { Connection } from '../../../../connector/cli/sql/connection.ts'
import { type RunOptions, runPrompt, runScript } from '../../../../connector/cli/sql/run.ts'

const OPTIONS: RunOptions = { format: 'csv', view: { cellMax: undefined }, goesOn: false }

/** Answers each statement with its own text; BAD fails; HANG waits for its cancellation. */
class EchoConnection implements Connection {
  readonly ran: string[] = []
  onHang: () => void = () => {}

  async run(sql: string, signal: AbortSignal) {
    this.ran.push(sql)
    if (sql.startsWith('BAD')) throw new ConnectError('002003 (42S02): it does not exist')
    if (sql.startsWith('HANG')) {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true })
        this.onHang()
      })
      throw new ConnectError('Cancelled')
    }
    return { columns: [{ name: 'Q', kind: 'text' as const }], rows: [[sql]], isCut: false }
  }
  context(): string {
    return 'MTA.SIM'
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

function terminal() {
  const streams = { input: new PassThrough(), output: new PassThrough(), errors: new PassThrough() }
  const output = text(streams.output)
  const errors = text(streams.errors)
  const end = async () => {
    streams.output.end()
    streams.errors.end()
    return { output: await output, errors: await errors }
  }
  return { ...streams, end }
}

const runText = async (script: string, options: Partial<RunOptions> = {}) => {
  const connection = new EchoConnection()
  const streams = terminal()
  const { signal } = new AbortController()
  const failed = await runScript(connection, { name: 'f.sql', text: script }, streams, {
    ...OPTIONS,
    ...options,
    signal,
  })
  return { failed, ran: connection.ran, ...(await streams.end()) }
}

describe('runScript', () => {
  test('runs statements in their order, the last one without a semicolon too', async () => {
    const { failed, ran, output } = await runText('A;\nB;\nC')
    expect(failed).toBe(0)
    expect(ran).toEqual(['A', 'B', 'C'])
    expect(output).toBe('Q\nA\nQ\nB\nQ\nC\n')
  })

  test('stops at a failure, and says file, line and reason', async () => {
    const { failed, ran, errors } = await runText('A;\nBAD;\nC;')
    expect(failed).toBe(1)
    expect(ran).toEqual(['A', 'BAD'])
    expect(errors).toBe('sql: f.sql line 2: 002003 (42S02): it does not exist\n')
  })

  test('goes on after a failure when told to', async () => {
    const { failed, ran } = await runText('BAD;C;BAD;', { goesOn: true })
    expect(failed).toBe(2)
    expect(ran).toEqual(['BAD', 'C', 'BAD'])
  })

  test('runs nothing of a script whose last text is not closed', async () => {
    const { failed, ran, errors } = await runText("A;\nDELETE FROM t WHERE x = 'a;")
    expect(failed).toBe(1)
    expect(ran).toEqual([])
    expect(errors).toContain('f.sql line 2')
  })
})

const typed = async (lines: string): Promise<{ ran: readonly string[]; output: string }> => {
  const connection = new EchoConnection()
  const streams = terminal()
  const running = runPrompt(connection, streams, OPTIONS)
  streams.input.write(lines)
  streams.input.end()
  await running
  return { ran: connection.ran, ...(await streams.end()) }
}

describe('runPrompt', () => {
  test('waits for the semicolon over several lines', async () => {
    const { ran, output } = await typed('SELECT\n1;\n')
    expect(ran).toEqual(['SELECT\n1'])
    expect(output).toContain('MTA.SIM> ')
    expect(output).toContain('... ')
  })

  test('changes the format, and leaves by a word', async () => {
    const { ran, output } = await typed('\\format json\nA;\nquit\nB;\n')
    expect(ran).toEqual(['A'])
    expect(output).toContain('{"Q":"A"}')
  })

  test('goes on after a failed statement', async () => {
    const { ran } = await typed('BAD;\nA;\n')
    expect(ran).toEqual(['BAD', 'A'])
  })

  test('cancels what runs by Ctrl-C', async () => {
    const connection = new EchoConnection()
    const streams = terminal()
    connection.onHang = () => streams.input.end('\u0003A;\n')
    const running = runPrompt(connection, streams, OPTIONS)
    streams.input.write('HANG;\n')
    expect(await running).toBe(1)
    expect(connection.ran).toEqual(['HANG', 'A'])
  })
})
