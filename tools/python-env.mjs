// Makes the virtual environment with the independent readers that some tests use, in the user's cache:
//   node tools/python-env.mjs        prints the interpreter's path as its last line
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '..')
const REQUIREMENTS = path.join(ROOT, 'test/integration/readers/requirements.txt')

/** Where the interpreter is, or will be once the environment is made. */
export function pythonPath() {
  const cache =
    process.env.MTA_CONNECT_CACHE ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'mta-connect')
  const hash = createHash('sha256').update(fs.readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)
  return path.join(cache, `python-${hash}`, 'bin/python')
}

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (result.status === 0) return
  process.stderr.write(`python-env: ${command} ${args.join(' ')} failed\n`)
  process.exit(1)
}

function make() {
  const python = pythonPath()
  const folder = path.dirname(path.dirname(python))
  const done = path.join(folder, '.complete')
  if (fs.existsSync(done)) return python
  fs.rmSync(folder, { recursive: true, force: true })
  run('python3', ['-m', 'venv', folder])
  run(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    REQUIREMENTS,
  ])
  fs.writeFileSync(done, '')
  return python
}

if (process.argv[1] === import.meta.filename) process.stdout.write(`${make()}\n`)
