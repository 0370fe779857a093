// Set-up without any dependency: packages, the native Kafka client, the builds. Every npm script calls it
// first; when nothing changed it returns within a fraction of a second. Also runs alone:
//   node tools/setup.mjs [--rebuild-native]
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { ensureNativeClient, SetupError } from './native-client.mjs'
import { buildPackedReader } from './packed-reader.mjs'

const ROOT = path.resolve(import.meta.dirname, '..')
const STAMP = path.join(ROOT, 'node_modules/.mta-connect-setup.json')
const NODE_MIN = [20, 19]

const say = (text) => process.stderr.write(`set-up: ${text}\n`)
const sha = (text) => createHash('sha256').update(text).digest('hex')

function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(STAMP, 'utf8'))
  } catch {
    return {} // None yet, or torn by an interrupted set-up: then everything is checked anew.
  }
}

function writeStamp(stamp) {
  fs.writeFileSync(`${STAMP}.tmp`, JSON.stringify(stamp))
  fs.renameSync(`${STAMP}.tmp`, STAMP)
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return
  throw new SetupError(
    `Node ${NODE_MIN.join('.')} or newer is needed; this is ${process.versions.node}.`,
  )
}

/** Names, sizes and times of all files below the folders: cheap, and any edit changes it. */
function fingerprint(names) {
  const parts = []
  const visit = (file) => {
    const stat = fs.statSync(file, { throwIfNoEntry: false })
    if (stat === undefined) return
    if (!stat.isDirectory()) {
      parts.push(`${path.relative(ROOT, file)} ${stat.size} ${stat.mtimeMs}`)
      return
    }
    for (const name of fs.readdirSync(file).sort()) {
      if (name !== 'node_modules' && name !== 'dist') visit(path.join(file, name))
    }
  }
  for (const name of names) visit(path.join(ROOT, name))
  return sha(parts.join('\n'))
}

function run(command, args, what) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  })
  if (result.error) throw new SetupError(`${what}: ${result.error.message}`)
  if (result.status !== 0) {
    throw new SetupError(
      `${what} failed with code ${result.status}:\n${`${result.stdout}\n${result.stderr}`.trim().slice(-6_000)}`,
    )
  }
}

function installPackages(stamp) {
  const wanted = sha(
    fs.readFileSync(path.join(ROOT, 'package-lock.json')) + process.versions.modules,
  )
  if (stamp.packages === wanted && fs.existsSync(path.join(ROOT, 'node_modules/avsc/package.json')))
    return false
  say('installing packages (npm ci): half a minute')
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], 'npm ci')
  for (const key of Object.keys(stamp)) delete stamp[key]
  stamp.packages = wanted
  return true
}

function reportFeatures({ version, features, missing }) {
  say(
    `native Kafka client: librdkafka ${version} with ${features.filter((name) => !['snappy', 'plugins', 'regex', 'sasl', 'zlib'].includes(name)).join(', ')}`,
  )
  if (missing.length === 0) return
  const debian = [...new Set(missing.map((entry) => entry.debian))].join(' ')
  say(
    `  without ${missing.map((entry) => entry.what).join(', ')}; to have them: sudo apt-get install ${debian} && node tools/setup.mjs --rebuild-native`,
  )
}

async function nativeClient(stamp, rebuild) {
  const addon = path.join(
    ROOT,
    'node_modules/@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node',
  )
  if (!rebuild && stamp.native === process.versions.modules && fs.existsSync(addon)) return
  reportFeatures(await ensureNativeClient({ root: ROOT, rebuild, say }))
  stamp.native = process.versions.modules
}

/** The reader that consumers use is compiled against the client; without it they are slower, not wrong. */
async function packedReader(stamp) {
  const wanted = `${process.versions.modules} ${fingerprint(['connector/kafka/packed-reader.c'])}`
  if (stamp.packed === wanted) return
  const client = path.join(ROOT, 'node_modules/@confluentinc/kafka-javascript')
  await buildPackedReader({ root: ROOT, client, say })
  stamp.packed = wanted
}

/** Files that run-time code reads beside itself; `tsc` copies none of them. */
function copyAssets() {
  for (const [folder, ending] of [
    ['schemas', '.avsc'],
    ['source-mta', '.json'],
    ['connector', '.json'],
  ]) {
    for (const name of fs.readdirSync(path.join(ROOT, folder), { recursive: true })) {
      if (!name.endsWith(ending)) continue
      const target = path.join(ROOT, 'dist', folder, name)
      fs.mkdirSync(path.dirname(target), { recursive: true })
      fs.copyFileSync(path.join(ROOT, folder, name), target)
    }
  }
}

function buildServer(stamp) {
  const wanted = fingerprint([
    'connector',
    'source-mta',
    'schemas',
    'ui/extension.ts',
    'tsconfig.json',
    'tsconfig.build.json',
  ])
  if (stamp.server === wanted && fs.existsSync(path.join(ROOT, 'dist/connector'))) return
  say('building the worker')
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], 'tsc')
  copyAssets()
  stamp.server = wanted
}

function buildUi(stamp) {
  if (!fs.existsSync(path.join(ROOT, 'ui/vite.config.ts'))) return
  const wanted = fingerprint(['ui'])
  if (stamp.ui === wanted && fs.existsSync(path.join(ROOT, 'dist/ui/app/index.html'))) return
  say('building the UI')
  run(
    process.execPath,
    ['node_modules/vite/bin/vite.js', 'build', 'ui', '--logLevel', 'warn'],
    'vite build',
  )
  stamp.ui = wanted
}

/** Brings everything up to date; resolves within a second when it is. Throws `SetupError` with what to do. */
export async function setup({ rebuildNative = false } = {}) {
  requireNode()
  const stamp = readStamp()
  installPackages(stamp)
  writeStamp(stamp)
  await nativeClient(stamp, rebuildNative)
  await packedReader(stamp)
  writeStamp(stamp)
  buildServer(stamp)
  writeStamp(stamp)
  buildUi(stamp)
  writeStamp(stamp)
}

/** Runs `setup`; on failure prints one clear message and ends the process with code 1. */
export async function setupOrExit(options) {
  try {
    await setup(options)
  } catch (error) {
    say(error instanceof SetupError ? error.message : error.stack)
    process.exit(1)
  }
}

if (process.argv[1] === import.meta.filename) {
  await setupOrExit({ rebuildNative: process.argv.includes('--rebuild-native') })
  say('ready')
}
