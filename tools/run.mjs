// What every npm script calls: set-up first, then the job, with signals passed on and the job's exit code.
//   node tools/run.mjs NAME [arguments]
import { spawn } from 'node:child_process'
import path from 'node:path'
import { setupOrExit } from './setup.mjs'

const ROOT = path.resolve(import.meta.dirname, '..')
const bin = (name) => path.join(ROOT, 'node_modules', name)
const TSX = ['--enable-source-maps', '--import', 'tsx']

/** Each job: the steps to run one after the other with Node, the user's arguments after the last one. */
const JOBS = {
  start: [['--enable-source-maps', 'dist/connector/cli/quickstart.js']],
  standalone: [['--enable-source-maps', 'dist/connector/cli/connect-standalone.js']],
  sql: [['--enable-source-maps', 'dist/connector/cli/mta-connect.js', 'sql']],
  build: [],
  lint: lint(),
  format: [[bin('@biomejs/biome/bin/biome'), 'format', '--write', '.']],
  test: [...lint(), [bin('vitest/vitest.mjs'), 'run']],
  'test:browser': [[bin('vitest/vitest.mjs'), 'run', 'test/browser']],
  bench: [[...TSX, 'test/bench/run.ts']],
  chaos: [[...TSX, 'test/chaos/run.ts']],
  conformance: [[...TSX, 'test/conformance/run.ts']],
  fuzz: [[...TSX, 'test/fuzz/run.ts']],
  dev: [[...TSX, 'connector/cli/dev.ts']],
}

function lint() {
  return [
    [bin('@biomejs/biome/bin/biome'), 'format', '.'],
    [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings', '--quiet'],
    [bin('typescript/bin/tsc'), '--noEmit'],
    [bin('typescript/bin/tsc'), '--noEmit', '-p', 'ui'],
  ]
}

/** Runs one step to its end; resolves with its exit code. */
function step(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: 'inherit',
      // libuv reads the size before any module runs, so only an environment from outside can set it.
      env: { UV_THREADPOOL_SIZE: '16', ...process.env },
    })
    // The terminal sends Ctrl-C to the whole group, the job included: passing it on would count twice.
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    const parent = process.ppid
    const watch = setInterval(() => {
      // npm was killed: nobody is left to stop this job.
      if (process.ppid !== parent) child.kill('SIGTERM')
    }, 500)
    child.on('close', (code, signal) => {
      clearInterval(watch)
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1))
    })
  })
}

const [name = '', ...rest] = process.argv.slice(2)
const steps = JOBS[name]
if (steps === undefined) {
  process.stderr.write(`run: no job '${name}'; there are ${Object.keys(JOBS).join(', ')}\n`)
  process.exit(2)
}
await setupOrExit()
for (const [index, args] of steps.entries()) {
  const code = await step(index === steps.length - 1 ? [...args, ...rest] : args)
  if (code === 0) continue
  // A run that fails before its tests ends with figures as well.
  if (name === 'test' && index < steps.length - 1) process.stdout.write('\n0 passed, 1 failed\n')
  process.exit(code)
}
