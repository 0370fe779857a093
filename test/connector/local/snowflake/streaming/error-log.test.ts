import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type ErrorEntry,
  errorFiles,
  fileErrorLog,
} from '../../../../../connector/local/snowflake/streaming/error-log.ts'
import { recordingLog } from '../../../../support/recording-log.ts'

const MEGABYTE = 1_024 * 1_024

const entry = (token: string, bytes: number): ErrorEntry => ({
  timestampMs: 1,
  tableUuid: 'u',
  pipe: 'P',
  channel: 'c',
  offsetLowerBound: null,
  offsetUpperBound: token,
  code: null,
  message: 'm',
  isTruncated: false,
  data: 'x'.repeat(bytes),
})

const tokensOf = async (file: string | undefined): Promise<readonly unknown[]> =>
  (await readFile(file ?? '', 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as ErrorEntry).offsetUpperBound)

describe('fileErrorLog', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'error-log-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('begins a new file within one call, and keeps the last entries of it', async () => {
    const entries = ['0', '1', '2', '3', '4'].map((token) => entry(token, MEGABYTE))
    await fileErrorLog(folder, recordingLog(), 1.5 * MEGABYTE).append('T', entries)
    const [newer, older] = errorFiles(folder, 'T')
    expect(await tokensOf(newer)).toEqual(['4'])
    expect(await tokensOf(older)).toEqual(['2', '3'])
  })

  test('writes small entries in their order, over several calls', async () => {
    const log = fileErrorLog(folder, recordingLog())
    await log.append('T', [entry('0', 1), entry('1', 1)])
    await log.append('T', [entry('2', 1)])
    expect(await tokensOf(errorFiles(folder, 'T')[0])).toEqual(['0', '1', '2'])
  })
})
