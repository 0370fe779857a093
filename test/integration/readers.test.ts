import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeWith, FEEDS, PYTHON, ROOT } from '../support/needs.ts'

const READERS = path.join(ROOT, 'test/integration/readers')

function python(program: string, ...args: string[]): { code: number | null; lines: string[] } {
  const script = path.join(READERS, program)
  const { status, stdout, stderr } = spawnSync(PYTHON, [script, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  return { code: status, lines: `${stdout}${stderr}`.trim().split('\n') }
}

describeWith(['python', 'feeds'], 'the independent decoder', () => {
  test.each([
    ['mta-subway-ace', 'seq_ace_20240208', '80 bodies, 5034 rows, 307 keys'],
    ['mta-mnr', 'mnr_20260621T0151Z.pb', '1 bodies, 119 rows, 119 keys'],
    ['mta-lirr', 'lirr_20260621T0155Z.pb', '1 bodies, 69 rows, 69 keys'],
    ['mta-bus-vp', 'DERIVED_mta_bus_vp_from_siri_20250807.pb', '1 bodies, 1500 rows, 1500 keys'],
  ])('%s: %s', (feed, recording, figures) => {
    const file = path.join(FEEDS, recording)
    const { code, lines } = python('decode_feeds.py', '--feed', feed, '--count', file)
    expect({ code, lines }).toEqual({ code: 0, lines: [figures] })
  })
})

describeWith(['python'], 'the comparison', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'compare-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  async function compare(
    expected: readonly object[],
    actual: readonly object[],
  ): Promise<ReturnType<typeof python>> {
    const files = [path.join(dir, 'expected.jsonl'), path.join(dir, 'actual.jsonl')] as const
    await writeFile(files[0], expected.map((row) => JSON.stringify(row)).join('\n'))
    await writeFile(files[1], actual.map((row) => JSON.stringify(row)).join('\n'))
    return python('compare.py', ...files, '--key', 'k')
  }

  describe('of two files of rows', () => {
    test('asks for neither order nor further columns, and takes null for absent', async () => {
      const rows = [
        { k: 1, v: null },
        { k: 2, v: 'x' },
      ]
      const { code, lines } = await compare(rows, [{ v: 'x', k: 2.0, more: 1 }, { k: 1 }])
      expect({ code, lines }).toEqual({ code: 0, lines: ['2 equal, 0 missing, 0 extra'] })
    })

    test('names the field that differs', async () => {
      const { code, lines } = await compare([{ k: 1, v: 'a' }], [{ k: 1, v: 'b' }])
      expect(code).toBe(1)
      expect(lines).toEqual([
        'missing [1]',
        "  v: expected 'a', got 'b'",
        '0 equal, 1 missing, 1 extra',
      ])
    })

    test('counts copies', async () => {
      const { code, lines } = await compare([{ k: 1 }], [{ k: 1 }, { k: 1 }])
      expect(code).toBe(1)
      expect(lines.at(-1)).toBe('1 equal, 0 missing, 1 extra')
    })
  })
})
