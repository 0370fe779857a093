// Gets the native part of @confluentinc/kafka-javascript: from this user's cache, else the package's
// prebuilt binary, else a build from the package's own sources against the system's libraries. Only the
// three files that are needed at run time are kept. Uses nothing but Node.
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildPackedReader } from './packed-reader.mjs'

const PACKAGE = '@confluentinc/kafka-javascript'
const ADDON = 'confluent-kafka-javascript.node'
const PREBUILT_LIMIT_MS = 30_000
const BUILD_LIMIT_MS = 20 * 60_000
const LOCK_STALE_MS = 25 * 60_000

/** librdkafka's name for a feature → what it gives, and Debian's package for it. */
const FEATURES = {
  ssl: ['TLS', 'libssl-dev'],
  sasl_scram: ['SASL SCRAM', 'libssl-dev'],
  gzip: ['gzip', 'zlib1g-dev'],
  zstd: ['zstd', 'libzstd-dev'],
  sasl_oauthbearer: ['SASL OAUTHBEARER', 'libcurl4-openssl-dev'],
  sasl_gssapi: ['Kerberos', 'libsasl2-dev'],
}

export class SetupError extends Error {}

const cacheFolder = () =>
  process.env.MTA_CONNECT_CACHE ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'mta-connect')

const libc = () =>
  process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime
    ? 'musl'
    : 'system'

/** Runs a program to its end. Rejects with the end of its output when it fails or takes too long. */
function run(command, args, { limitMs, onLine, ...options }) {
  return new Promise((resolve, reject) => {
    // A group of its own: what times out is ended with all of its compilers.
    const child = spawn(command, args, {
      ...options,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let tail = ''
    const stop = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It ended by itself in the meantime.
      }
    }
    const timer = setTimeout(() => {
      tail += `\n(ended after ${limitMs / 1000} s)`
      stop()
    }, limitMs)
    process.once('exit', stop)
    const collect = (chunk) => {
      tail = (tail + chunk).slice(-6_000)
      onLine?.(String(chunk))
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const finish = (error) => {
      clearTimeout(timer)
      process.removeListener('exit', stop)
      if (error) reject(Object.assign(error, { output: tail }))
      else resolve(tail)
    }
    child.on('error', finish)
    child.on('close', (code) =>
      finish(code === 0 ? undefined : new Error(`${command} ended with code ${code}`)),
    )
  })
}

/** What the native client in `folder` can do, asked in a process of its own; undefined if it does not load. */
function probe(root, folder) {
  const script = `
    const kafka = require(${JSON.stringify(folder)})
    const { existsSync } = require('node:fs')
    const lib = ${JSON.stringify(libraryCandidates(folder))}.find((file) => existsSync(file))
    let mock = false
    try { require('koffi').load(lib).func('int rd_kafka_mock_topic_create(void *mc, const char *t, int p, int r)'); mock = true } catch {}
    process.stdout.write('\\n' + JSON.stringify({ features: kafka.features, version: kafka.librdkafkaVersion, mock }))
    process.exit(0)`
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', script], { cwd: root, timeout: 20_000 }, (error, stdout) => {
      if (error) return resolve(undefined)
      try {
        resolve(JSON.parse(stdout.trim().split('\n').at(-1)))
      } catch {
        resolve(undefined)
      }
    })
  })
}

const libraryCandidates = (folder) => [
  path.join(folder, 'build/deps/librdkafka.so.1'),
  path.join(folder, 'build/deps/librdkafka.1.dylib'),
  path.join(folder, 'build/Release', ADDON),
]

const KEEP = ['build/Release/' + ADDON]
const KEEP_IF_THERE = [
  'librdkafka.so.1',
  'librdkafka++.so.1',
  'librdkafka.1.dylib',
  'librdkafka++.1.dylib',
].map((name) => `build/deps/${name}`)

function copyBinaries(from, to) {
  for (const name of [...KEEP, ...KEEP_IF_THERE]) {
    const source = path.join(from, name)
    if (!fs.existsSync(source)) continue
    const target = path.join(to, name)
    fs.mkdirSync(path.dirname(target), { recursive: true })
    fs.copyFileSync(source, `${target}.tmp`)
    fs.renameSync(`${target}.tmp`, target)
  }
}

const onPath = (program) =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => folder !== '' && fs.existsSync(path.join(folder, program)))

function requireCompiler() {
  const missing = []
  if (!onPath('g++') && !onPath('c++') && !onPath('clang++')) missing.push('a C++ compiler')
  if (!onPath('make')) missing.push('make')
  if (!onPath('python3')) missing.push('python3')
  if (missing.length === 0) return
  throw new SetupError(
    `The native Kafka client has no prebuilt binary for this machine and cannot be built: ${missing.join(', ')} not found.\n` +
      'Debian, Ubuntu: sudo apt-get install build-essential python3 libssl-dev zlib1g-dev libzstd-dev\n' +
      'macOS: xcode-select --install\n' +
      'Then run the same command again.',
  )
}

/** One builder at a time for one user; the others wait for its result. */
async function withLock(folder, say, job) {
  const lock = `${folder}.lock`
  fs.mkdirSync(path.dirname(lock), { recursive: true })
  for (let told = false; ; ) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!isHeld(lock)) {
        fs.rmSync(lock, { force: true })
        continue
      }
      if (!told) say('another set-up is building the native Kafka client; waiting for it')
      told = true
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
  const release = () => fs.rmSync(lock, { force: true })
  process.once('exit', release)
  try {
    return await job()
  } finally {
    process.removeListener('exit', release)
    release()
  }
}

function isHeld(lock) {
  try {
    if (Date.now() - fs.statSync(lock).mtimeMs > LOCK_STALE_MS) return false
    process.kill(Number(fs.readFileSync(lock, 'utf8')), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

const usable = (report) => report !== undefined && report.mock

async function prebuilt({ root, workshop, say }) {
  say(`asking for the prebuilt native Kafka client (at most ${PREBUILT_LIMIT_MS / 1000} s)`)
  try {
    await run(
      process.execPath,
      [path.join(root, 'node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp'), 'install'],
      { cwd: workshop, limitMs: PREBUILT_LIMIT_MS, env: process.env },
    )
  } catch {
    say('no prebuilt binary could be fetched')
    return false
  }
  if (usable(await probe(root, workshop))) return true
  say('the prebuilt binary does not suit this machine')
  fs.rmSync(path.join(workshop, 'build'), { recursive: true, force: true })
  return false
}

function buildEnvironment(workshop) {
  const env = { ...process.env, CKJS_LINKING: 'dynamic' }
  // A JOBS of the user's breaks librdkafka's clean build ("No rule to make target config.h").
  delete env.JOBS
  // Headers of this very Node, so that node-gyp fetches none.
  const prefix = path.resolve(process.execPath, '../..')
  if (fs.existsSync(path.join(prefix, 'include/node/node.h'))) env.npm_config_nodedir = prefix
  // The package calls a bare `make -j`, dozens of compilers at once: this one bounds it to the cores. Only
  // that call: the outer make must stay serial, or it looks for config.h before configure has run.
  const shims = path.join(workshop, '.shims')
  fs.mkdirSync(shims, { recursive: true })
  const real = env.PATH.split(path.delimiter)
    .map((dir) => path.join(dir, 'make'))
    .find((file) => fs.existsSync(file))
  fs.writeFileSync(
    path.join(shims, 'make'),
    `#!/bin/sh\nfor a do shift; [ "$a" = -j ] && a=-j${os.availableParallelism()}; set -- "$@" "$a"; done\nexec ${JSON.stringify(real)} "$@"\n`,
    { mode: 0o755 },
  )
  env.PATH = `${shims}${path.delimiter}${env.PATH}`
  return env
}

async function build({ root, workshop, say }) {
  requireCompiler()
  say('building the native Kafka client from its sources: one to three minutes, once per machine')
  const began = Date.now()
  let units = 0
  const ticker = setInterval(
    () =>
      say(
        `  still building: ${Math.round((Date.now() - began) / 1000)} s, ${units} files compiled`,
      ),
    15_000,
  )
  try {
    await run(
      process.execPath,
      [
        path.join(root, 'node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp'),
        'install',
        '--build-from-source',
      ],
      {
        cwd: workshop,
        limitMs: BUILD_LIMIT_MS,
        env: buildEnvironment(workshop),
        onLine: (text) => {
          units += text.match(/(^|\n)\s*(g?cc|c\+\+|g\+\+|CC\(|CXX\()/g)?.length ?? 0
        },
      },
    )
  } catch (error) {
    throw new SetupError(
      `The native Kafka client could not be built. The end of the output:\n${error.output ?? error.message}`,
    )
  } finally {
    clearInterval(ticker)
  }
  for (const name of [...KEEP, ...KEEP_IF_THERE]) {
    const file = path.join(workshop, name)
    // Debug symbols are four fifths of the size. Without `strip` they simply stay.
    if (fs.existsSync(file))
      await run('strip', ['-S', file], { limitMs: 60_000 }).catch(() => undefined)
  }
  say(`built in ${Math.round((Date.now() - began) / 1000)} s`)
}

async function make({ root, source, cached, say }) {
  const yard = `${cached}.build-${process.pid}`
  const workshop = path.join(yard, 'node_modules', PACKAGE)
  try {
    fs.cpSync(source, workshop, { recursive: true })
    fs.rmSync(path.join(workshop, 'build'), { recursive: true, force: true })
    for (const name of ['nan', 'bindings', 'file-uri-to-path', 'koffi']) {
      const target = path.join(root, 'node_modules', name)
      if (fs.existsSync(target)) fs.symlinkSync(target, path.join(yard, 'node_modules', name))
    }
    if (!(await prebuilt({ root, workshop, say }))) await build({ root, workshop, say })
    fs.rmSync(cached, { recursive: true, force: true })
    copyBinaries(workshop, cached)
  } finally {
    fs.rmSync(yard, { recursive: true, force: true })
  }
}

/**
 * Puts the native client's files under `node_modules` and returns what it can do:
 * `{ features, version, missing: [{ what, debian }] }`. Throws `SetupError` with what to install.
 */
export async function ensureNativeClient({ root, rebuild, say }) {
  const source = path.join(root, 'node_modules', PACKAGE)
  const { version } = JSON.parse(fs.readFileSync(path.join(source, 'package.json'), 'utf8'))
  const name = `kafka-${version}-abi${process.versions.modules}-${process.platform}-${process.arch}-${libc()}`
  const cached = path.join(cacheFolder(), name)
  if (rebuild) fs.rmSync(cached, { recursive: true, force: true })
  let report
  await withLock(cached, say, async () => {
    if (fs.existsSync(path.join(cached, KEEP[0]))) {
      copyBinaries(cached, source)
      report = await probe(root, source)
    }
    if (usable(report)) return
    await make({ root, source, cached, say })
    copyBinaries(cached, source)
    report = await probe(root, source)
  })
  if (!usable(report)) throw new SetupError('The native Kafka client was built but does not load.')
  await buildPackedReader({ root, client: source, say })
  return { ...report, missing: missingFeatures(report.features) }
}

function missingFeatures(features) {
  return Object.entries(FEATURES)
    .filter(([name]) => !features.includes(name))
    .map(([, [what, debian]]) => ({ what, debian }))
}
