// Builds connector/kafka/packed-reader.c beside the native Kafka client, for its librdkafka. Without a C compiler the worker
// reads by the client's own binding, so nothing here ever fails the set-up.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LIMIT_MS = 60_000
const COMPILERS = ['cc', 'gcc', 'clang']

/** Compiles the reader for the client in `client`, the folder of its package. True when it is there afterwards. */
export async function buildPackedReader({ root, client, say }) {
  const source = path.join(root, 'connector/kafka/packed-reader.c')
  const headers = path.join(client, 'deps/librdkafka/src')
  const target = path.join(client, 'build/Release/mta-packed-reader.so')
  const temporary = `${target}.${process.pid}.tmp`
  const args = ['-O2', '-shared', '-fPIC', '-w', '-I', headers, '-o', temporary, source]
  if (process.platform === 'linux') args.push('-ldl', '-lpthread')
  for (const compiler of COMPILERS) {
    try {
      await run(compiler, args, { timeout: LIMIT_MS })
      // Never written in place: a process may have it loaded.
      fs.renameSync(temporary, target)
      return true
    } catch (error) {
      fs.rmSync(temporary, { force: true })
      if (error.code === 'ENOENT') continue // No such compiler: the next one.
      say(
        `the packed reader of Kafka messages could not be built: ${String(error.stderr ?? error.message).slice(0, 500)}`,
      )
      return false
    }
  }
  say('no C compiler for the packed reader of Kafka messages: sinks read at about half the speed')
  return false
}
