// Fetches the jars of the independent Java clients that some tests use into the user's cache, by Maven:
//   node tools/java-env.mjs [NAME ...]    without a name: all of them; prints their folders
// Each client is a folder below test/integration/java with a pom.xml that pins its versions.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '..')
const CLIENTS = path.join(ROOT, 'test/integration/java')

/** The folder that holds, or will hold, the jars of client `name`. */
export function jarFolder(name) {
  const cache =
    process.env.MTA_CONNECT_CACHE ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'mta-connect')
  const pom = fs.readFileSync(path.join(CLIENTS, name, 'pom.xml'))
  const hash = createHash('sha256').update(pom).digest('hex').slice(0, 12)
  return path.join(cache, `java-${name}-${hash}`)
}

/** Makes sure that the jars are there; returns their folder. Throws with Maven's output when it cannot. */
export function ensureJars(name) {
  const folder = jarFolder(name)
  if (fs.existsSync(folder)) return folder
  // Made aside and renamed, so that two runs at once cannot see half of it.
  const partial = `${folder}.${process.pid}`
  fs.rmSync(partial, { recursive: true, force: true })
  fs.mkdirSync(partial, { recursive: true })
  const pom = path.join(CLIENTS, name, 'pom.xml')
  const result = spawnSync(
    'mvn',
    ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`],
    { encoding: 'utf8' },
  )
  if (result.status !== 0) {
    fs.rmSync(partial, { recursive: true, force: true })
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.split('\n').slice(-20).join('\n')
    throw new Error(`java-env: Maven could not fetch ${name}: ${result.error?.message ?? output}`)
  }
  try {
    fs.renameSync(partial, folder)
  } catch (error) {
    fs.rmSync(partial, { recursive: true, force: true })
    if (!fs.existsSync(folder)) throw error // Else another run was faster.
  }
  return folder
}

if (process.argv[1] === import.meta.filename) {
  const given = process.argv.slice(2)
  const names = given.length > 0 ? given : fs.existsSync(CLIENTS) ? fs.readdirSync(CLIENTS) : []
  for (const name of names) process.stdout.write(`${ensureJars(name)}\n`)
}
