// A lock file that outlives no process. It names its holder by process id and start time, since ids are used
// again. Every step that gives something to one process only is a hard link, which fails where the name is
// taken, and a lock appears with its content, so nobody can find one that is still being written.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { ConnectError } from '../api/errors.ts'

export interface LockFile {
  /** Gives the lock to whoever comes next. */
  release(): void
}

/** A process that runs holds the lock, or is about to. */
export class LockHeldError extends ConnectError {
  readonly pid: number

  constructor(file: string, pid: number) {
    super(`Expected to take the lock ${file}, got it held by process ${pid}.`)
    this.pid = pid
  }
}

interface Holder {
  readonly pid: number
  /** When that process started, as the system tells it; empty where it does not tell. */
  readonly started: string
}

/** Each is lost only to somebody who took the lock or gave it back in between. */
const ATTEMPTS_MAX = 20
/** Heirs of one dead lock that died in turn. */
const HEIRS_MAX = 100

/**
 * Takes the lock at `file`, also over from a process that is gone. `token` is unique to the call.
 * @throws LockHeldError; the system's error where the folder cannot be written.
 */
export function takeLockFile(file: string, token: string): LockFile {
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid), token })
  const temporary = `${file}.${token}.tmp`
  try {
    fs.writeFileSync(temporary, own, { flag: 'wx', flush: true })
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++)
      if (tryLink(temporary, file) || tryInherit(file, temporary))
        return { release: () => release(file, own) }
  } finally {
    fs.rmSync(temporary, { force: true })
  }
  throw new ConnectError(`Expected to take the lock ${file}, but other processes kept taking it.`)
}

function release(file: string, own: string): void {
  if (read(file) === own) fs.rmSync(file, { force: true })
}

/**
 * Replaces a dead process's lock. Only its heir may: whoever links the name made from the lock's content, or
 * from the claim of an heir that died before it. A claim goes away only once that lock is no longer there, so
 * a late heir finds, when it looks at the lock again, that it inherits nothing. False: look again.
 */
function tryInherit(file: string, temporary: string): boolean {
  const dead = read(file)
  if (dead === undefined) return false
  const claims = claim(file, { dead, temporary })
  const own = claims?.at(-1)
  if (claims === undefined || own === undefined) return false
  let obsolete = [own]
  try {
    const isThere = read(file) === dead
    if (isThere) fs.renameSync(temporary, file)
    obsolete = [...claims]
    return isThere
  } finally {
    for (const name of obsolete) fs.rmSync(name, { force: true })
  }
}

/** The claims from the dead lock's to this process's, or undefined when one went away meanwhile. */
function claim(
  file: string,
  { dead, temporary }: { dead: string; temporary: string },
): readonly string[] | undefined {
  const claims: string[] = []
  let last: string | undefined = dead
  while (last !== undefined) {
    const holder = parse(last)
    if (holder !== undefined && isAlive(holder)) throw new LockHeldError(file, holder.pid)
    if (claims.length === HEIRS_MAX)
      throw new ConnectError(
        `Expected at most ${HEIRS_MAX} dead heirs of the lock ${file}. Remove it and ${file}.*.heir.`,
      )
    const name = `${file}.${createHash('sha256').update(last).digest('hex').slice(0, 32)}.heir`
    claims.push(name)
    if (tryLink(temporary, name)) return claims
    last = read(name)
  }
  return undefined
}

function tryLink(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

/** Undefined when there is no such file. */
function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Undefined for what names no process: torn by a loss of power, so nobody holds it. */
function parse(text: string): Holder | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // As above.
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { pid, started } = value as Readonly<Record<string, unknown>>
  if (!Number.isSafeInteger(pid) || Number(pid) <= 0) return undefined
  return { pid: Number(pid), started: typeof started === 'string' ? started : '' }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false
    if (!isCode(error, 'EPERM')) throw error
  }
  if (isEnded(holder.pid)) return false
  const started = startOf(holder.pid)
  return started === '' || holder.started === '' || started === holder.started
}

/** A process that has ended, and that its parent has not asked about yet (field 3 of proc(5)), holds nothing any more. */
function isEnded(pid: number): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    return /^[ZX]$/.test(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '')
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ESRCH')) return false // Gone meanwhile, or no such system.
    throw error
  }
}

/** The boot and field 22 of proc(5), or what `ps` tells; empty where neither knows the process. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
    // Counted behind the name, which may hold blanks and parentheses.
    return `${boot.trim()}:${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'ESRCH')) throw error
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return '' // Then the process id alone decides.
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code
