// A lock file that outlives no process: it names the holder by process id and start time, since ids are
// used again.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import { ConnectError } from '../../api/errors.ts'
import { isCode, removeQuietly, writeNew } from './durable-files.ts'

interface Holder {
  readonly pid: number
  /** When that process started, as the system tells it; empty where it does not tell. */
  readonly started: string
  readonly token: string
}

export interface Lock {
  release(): Promise<void>
}

const ATTEMPTS_MAX = 3

/**
 * Takes the lock at `file`, also over from a process that is gone.
 * @throws ConnectError that names the process which holds it.
 */
export async function takeLock(file: string, token: string): Promise<Lock> {
  const own: Holder = { pid: process.pid, started: await startTime(process.pid), token }
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      await writeNew(file, JSON.stringify(own))
      return { release: () => release(file, token) }
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    const holder = await readHolder(file)
    if (holder !== undefined && (await isAlive(holder))) throw inUse(file, holder)
    await discard(file, holder, token)
  }
  throw new ConnectError(`Expected to take the lock ${file}, but other processes kept taking it.`)
}

const inUse = (file: string, holder: Holder): ConnectError =>
  new ConnectError(
    `Expected the warehouse of ${file} to be free, got it in use by process ${holder.pid}. Stop that process, or use another folder.`,
  )

/** Takes a dead process's lock away, but never one that somebody has taken in between. */
async function discard(file: string, dead: Holder | undefined, token: string): Promise<void> {
  const aside = `${file}.${token}`
  try {
    await fs.rename(file, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw error
  }
  const moved = await readHolder(aside)
  if (moved !== undefined && moved.token !== dead?.token) {
    await fs.link(aside, file).catch(() => {
      // A third process has the lock by now; the next attempt says so.
    })
  }
  await removeQuietly(aside)
}

async function release(file: string, token: string): Promise<void> {
  if ((await readHolder(file))?.token === token) await removeQuietly(file)
}

/** Undefined for a file that is gone or was never written to its end. */
async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await fs.readFile(file, 'utf8')) as Holder
    return typeof holder.pid === 'number' ? holder : undefined
  } catch (error) {
    if (error instanceof SyntaxError || isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false
    if (!isCode(error, 'EPERM')) throw error
  }
  const started = await startTime(holder.pid)
  return started === '' || holder.started === '' || started === holder.started
}

async function startTime(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([
      fs.readFile(`/proc/${pid}/stat`, 'utf8'),
      fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // Field 22 of proc(5), counted behind the name, which may hold blanks and parentheses.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    return `${boot.trim()}:${ticks}`
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return '' // Neither /proc nor ps knows of it: the process id alone decides.
  }
}
