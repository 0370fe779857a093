// `npm start`: the whole pipeline on one machine. Composes the local stack, the feeds and one worker; every part
// that the user names gives way to the real one. The worker reaches all of them by configuration only.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { toMessage } from '../api/errors.ts'
import { type DataFolder, DataFolderError, holdDataFolder } from '../local/data-folder.ts'
import { isPortFree } from '../local/ports.ts'
import { systemClock } from '../runtime/clock.ts'
import { parseOptions, type QuickstartOptions, USAGE, UsageError } from './quickstart-options.ts'
import { Stack } from './quickstart-stack.ts'
import { watchConnectors } from './quickstart-watch.ts'

const DRAIN_LIMIT_MS = 10_000

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args)
  if (options === 'help') {
    process.stdout.write(USAGE)
    return
  }
  if (!(await isPortFree(options.port))) {
    throw new UsageError(
      `Port ${options.port} of 127.0.0.1 is taken by another program. Stop that one, or choose another port with --port.`,
    )
  }
  const folder = holdDataFolder(options.dataDir)
  const stack = new Stack({ options, clock: systemClock, say: print })
  const stop = onStop(stack, folder, options)
  try {
    await stack.start()
  } catch (error) {
    if (stop.signal.aborted) return
    print(`\nmta-connect could not start. ${toMessage(error)}`)
    await stack.stop(0)
    folder.release()
    process.exit(1)
  }
  writeStackFile(stack, options)
  stack.onChange(() => writeStackFile(stack, options))
  for (const line of stack.summary()) print(line)
  void watchConnectors({
    url: `http://127.0.0.1:${options.port}`,
    logFile: path.join(options.dataDir, 'logs/worker.log'),
    clock: systemClock,
    signal: stop.signal,
    say: print,
  })
}

/** Ctrl-C, SIGTERM, or the death of who started us: everything ends in order, once. A second Ctrl-C does not wait. */
function onStop(stack: Stack, folder: DataFolder, options: QuickstartOptions) {
  const stopped = new AbortController()
  const end = (code: number): never => {
    rmSync(path.join(options.dataDir, 'stack.json'), { force: true })
    folder.release()
    process.exit(code)
  }
  const stop = (): void => {
    if (stopped.signal.aborted) {
      stack.kill()
      end(1)
    }
    stopped.abort()
    print(
      '\nStopping: sources first, then what is on its way is written, then the rest (Ctrl-C again: at once).',
    )
    void stopAndEnd()
  }
  const stopAndEnd = async (): Promise<void> => {
    try {
      await stack.stop(DRAIN_LIMIT_MS)
    } catch (error) {
      print(`Not everything stopped cleanly: ${toMessage(error)}`)
      stack.kill()
      end(1)
    }
    print('Stopped. The tables stay; the same command goes on with them.')
    end(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent && !stopped.signal.aborted) stop()
  }, 500).unref()
  return { signal: stopped.signal }
}

function writeStackFile(stack: Stack, options: QuickstartOptions): void {
  if (!existsSync(options.dataDir)) return
  const file = path.join(options.dataDir, 'stack.json')
  try {
    writeFileSync(file, `${JSON.stringify(stack.describe(), null, 2)}\n`)
  } catch (error) {
    print(`${file} cannot be written: ${toMessage(error)}`)
  }
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected = error instanceof UsageError || error instanceof DataFolderError
  process.stderr.write(
    isExpected ? `${error.message}\n` : `mta-connect failed: ${toMessage(error)}\n`,
  )
  process.exit(1)
})
