import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LockHeldError, takeLockFile } from '../../../connector/local/lock-file.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'))
  file = path.join(folder, 'lock')
})
afterEach(() => {
  vi.restoreAllMocks()
  fs.rmSync(folder, { recursive: true, force: true })
})

const deadPid = spawnSync(process.execPath, ['-e', '']).pid
const deadHolder = (token: string): string => JSON.stringify({ pid: deadPid, started: '1', token })

/** Takes the lock; the token when it was got. */
function contend(token: string): string | undefined {
  try {
    takeLockFile(file, token)
    return token
  } catch (error) {
    if (error instanceof LockHeldError) return undefined
    throw error
  }
}

/** A process that has ended and whose parent never asks about it; undefined where the system does not tell. */
function zombie(): { readonly pid: number; readonly end: () => void } | undefined {
  if (!fs.existsSync('/proc/self/stat')) return undefined
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 30'], { stdio: 'ignore' })
  const children = `/proc/${parent.pid}/task/${parent.pid}/children`
  for (let look = 0; look < 1_000_000; look++) {
    const [pid] = fs.readFileSync(children, 'utf8').split(' ').filter(Boolean).map(Number)
    if (pid === undefined) continue
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    if (stat.includes(') Z ')) return { pid, end: () => parent.kill('SIGKILL') }
  }
  throw new Error('The child did not end.')
}

const isOurs = (name: unknown): boolean => String(name).startsWith(folder)

/** Runs `before` with the number of each file operation of the lock that is about to be done. */
function interrupt(before: (step: number) => void): void {
  let step = 0
  let inside = false
  const pass = (): void => {
    if (inside) return
    inside = true
    before(step++)
    inside = false
  }
  const { writeFileSync, linkSync, readFileSync, renameSync, rmSync } = fs
  vi.spyOn(fs, 'writeFileSync').mockImplementation((...args) => {
    pass()
    writeFileSync(...args)
  })
  vi.spyOn(fs, 'linkSync').mockImplementation((...args) => {
    pass()
    linkSync(...args)
  })
  vi.spyOn(fs, 'readFileSync').mockImplementation((...args) => {
    if (isOurs(args[0])) pass()
    return readFileSync(...args)
  })
  vi.spyOn(fs, 'renameSync').mockImplementation((...args) => {
    pass()
    renameSync(...args)
  })
  vi.spyOn(fs, 'rmSync').mockImplementation((...args) => {
    pass()
    rmSync(...args)
  })
}

/** What a process leaves that is killed in the middle of taking a lock over. */
function leaveDeadHeir(token: string): void {
  vi.spyOn(fs, 'renameSync').mockImplementation(() => {
    throw new Error('killed')
  })
  vi.spyOn(fs, 'rmSync').mockReturnValue()
  expect(() => takeLockFile(file, token)).toThrow('killed')
  vi.restoreAllMocks()
  const own = `${file}.${token}.tmp`
  fs.writeFileSync(own, deadHolder(token)) // The claim is the same file.
  fs.rmSync(own)
}

const SITUATIONS: readonly { readonly about: string; readonly prepare: () => void }[] = [
  { about: 'that nobody has', prepare: () => undefined },
  { about: 'of a dead process', prepare: () => fs.writeFileSync(file, deadHolder('dead')) },
  { about: 'that a loss of power tore', prepare: () => fs.writeFileSync(file, '') },
  {
    about: 'of a dead process whose heirs died too',
    prepare: () => {
      fs.writeFileSync(file, deadHolder('dead'))
      leaveDeadHeir('heir')
      leaveDeadHeir('heir-of-the-heir')
    },
  },
]

describe('lock file', () => {
  test('of a process that has ended is free, also before its parent has asked about it', () => {
    const ended = zombie()
    if (ended === undefined) return
    try {
      fs.writeFileSync(file, JSON.stringify({ pid: ended.pid, started: '', token: 'z' }))
      expect(contend('mine')).toBe('mine')
    } finally {
      ended.end()
    }
  })

  for (const { about, prepare } of SITUATIONS)
    test(`one ${about} is taken by exactly one, whenever others come in between`, () => {
      let last = 1
      for (let first = 0; first <= last; first++)
        for (let second = first; second <= last; second++) {
          fs.rmSync(folder, { recursive: true })
          fs.mkdirSync(folder)
          prepare()
          const winners: (string | undefined)[] = []
          let steps = 0
          interrupt((step) => {
            steps = step
            if (step === first) winners.push(contend('b'))
            if (step === second) winners.push(contend('c'))
          })
          winners.push(contend('a'))
          vi.restoreAllMocks()
          last = Math.max(last, steps)
          const got = winners.filter((winner) => winner !== undefined)
          expect(got, `others before steps ${first} and ${second}`).toHaveLength(1)
          expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({ token: got[0] })
          expect(fs.readdirSync(folder)).toEqual(['lock'])
        }
      expect(last).toBeGreaterThanOrEqual(2)
    })

  test('is never seen without its holder', () => {
    const seen: string[] = []
    interrupt(() => {
      if (fs.existsSync(file)) seen.push(fs.readFileSync(file, 'utf8'))
    })
    takeLockFile(file, 'a')
    expect(seen.length).toBeGreaterThan(0)
    for (const text of seen) expect(JSON.parse(text)).toMatchObject({ pid: process.pid })
  })

  test('names the process that holds it, and is free after its release', () => {
    const held = takeLockFile(file, 'a')
    expect(() => takeLockFile(file, 'b')).toThrow(`held by process ${process.pid}`)
    held.release()
    expect(fs.readdirSync(folder)).toEqual([])
    takeLockFile(file, 'c').release()
  })

  test('is not taken away by the release of somebody who has lost it', () => {
    const held = takeLockFile(file, 'a')
    fs.rmSync(file)
    takeLockFile(file, 'b')
    held.release()
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({ token: 'b' })
  })

  test('leaves a dead lock to the next when it cannot be replaced', () => {
    fs.writeFileSync(file, deadHolder('dead'))
    vi.spyOn(fs, 'renameSync').mockImplementationOnce(() => {
      throw new Error('EIO: i/o error')
    })
    expect(() => takeLockFile(file, 'a')).toThrow('EIO')
    expect(fs.readdirSync(folder)).toEqual(['lock'])
    expect(contend('b')).toBe('b')
  })
})
