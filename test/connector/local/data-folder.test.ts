import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { holdDataFolder } from '../../../connector/local/data-folder.ts'

/** The folder can be taken, and is this process's then. */
function expectHeld(folder: string): void {
  const held = holdDataFolder(folder)
  expect(JSON.parse(readFileSync(path.join(folder, 'stack.lock'), 'utf8'))).toMatchObject({
    pid: process.pid,
  })
  held.release()
}

describe('data folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'data-folder-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('is refused to a second holder, naming the first', () => {
    const held = holdDataFolder(folder)
    expect(() => holdDataFolder(folder)).toThrow(
      `The data folder ${folder} is in use by process ${process.pid}.`,
    )
    held.release()
    holdDataFolder(folder).release()
    expect(existsSync(path.join(folder, 'stack.lock'))).toBe(false)
  })

  test('is taken over from a holder that was killed', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => child.once('exit', resolve))
    writeFileSync(path.join(folder, 'stack.lock'), JSON.stringify({ pid: child.pid, started: '1' }))
    expectHeld(folder)
  })

  test('is taken over when the process id belongs to somebody else by now', () => {
    writeFileSync(
      path.join(folder, 'stack.lock'),
      JSON.stringify({ pid: process.ppid, started: 'long ago' }),
    )
    expectHeld(folder)
  })

  test('is taken over from a torn lock', () => {
    writeFileSync(path.join(folder, 'stack.lock'), '{"pid":')
    expectHeld(folder)
  })

  test('below a file is refused with the path', () => {
    writeFileSync(path.join(folder, 'file'), '')
    expect(() => holdDataFolder(path.join(folder, 'file/data'))).toThrow(/cannot be made.*ENOTDIR/s)
  })
})
