import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RollingLog } from '../../../connector/local/rolling-log.ts'

describe('rolling log', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'rolling-log-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('begins a new file when the old one is full, and keeps one', () => {
    const log = new RollingLog(path.join(folder, 'worker.log'), () => undefined)
    const chunk = Buffer.alloc(9_000_000, 'x')
    for (let n = 0; n < 5; n++) log.write(chunk)
    expect(statSync(log.file).size).toBe(9_000_000)
    expect(statSync(`${log.file}.1`).size).toBe(18_000_000)
  })

  test('says once that the disk is full, and goes on', () => {
    const told: string[] = []
    const log = new RollingLog('/dev/full', (text) => told.push(text))
    log.write(Buffer.from('first\n'))
    log.write(Buffer.from('last\n'))
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('/dev/full cannot be written: Error: ENOSPC')
    expect(log.tail()).toBe('first\nlast')
  })

  test('goes on in the file of an earlier run', () => {
    const file = path.join(folder, 'broker.log')
    new RollingLog(file, () => undefined).write(Buffer.from('a\n'))
    new RollingLog(file, () => undefined).write(Buffer.from('b\n'))
    expect(readFileSync(file, 'utf8')).toBe('a\nb\n')
  })
})
