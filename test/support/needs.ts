// What a test needs beyond the clone. Absent: its tests are skipped, visibly, with the reason; named in
// REQUIRE (REQUIRE=feeds,kafka,chromium,python,java): they fail instead.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { pythonPath } from '../../tools/python-env.mjs'

export const ROOT = path.resolve(import.meta.dirname, '../..')
export const FEEDS = process.env['FEEDS_DIR'] ?? path.resolve(ROOT, '../shared/feeds')
export const PYTHON = process.env['MTA_CONNECT_PYTHON'] ?? pythonPath()
export const CHROMIUM =
  process.env['CHROMIUM'] ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
    existsSync(file),
  ) ??
  '/usr/bin/chromium'

export type Need = 'feeds' | 'kafka' | 'chromium' | 'python' | 'java'

const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .some((dir) => dir !== '' && existsSync(path.join(dir, program)))

const noJava = (purpose: string): string | undefined =>
  onPath('java') && onPath('mvn') ? undefined : `no Java and Maven on the PATH for ${purpose}`

const ABSENT: Readonly<Record<Need, () => string | undefined>> = {
  feeds: () => (existsSync(FEEDS) ? undefined : `no recorded feeds at ${FEEDS}`),
  kafka: () => noJava('a real Apache Kafka'),
  java: () => noJava('clients written in Java'),
  chromium: () => (existsSync(CHROMIUM) ? undefined : `no Chromium at ${CHROMIUM}`),
  python: () =>
    existsSync(PYTHON) ? undefined : `no ${PYTHON}; node tools/python-env.mjs makes it`,
}

/** Why `need` is not met, or undefined. */
export const missing = (need: Need): string | undefined => ABSENT[need]()

/** `describe` that is skipped, or fails under REQUIRE, unless everything in `needs` is there. */
export function describeWith(needs: readonly Need[], name: string, body: () => void): void {
  const reasons = needs.flatMap((need) => {
    const reason = missing(need)
    return reason === undefined ? [] : [{ need, reason }]
  })
  if (reasons.length === 0) {
    describe(name, body)
    return
  }
  const required = (process.env['REQUIRE'] ?? '').split(',')
  const text = reasons.map(({ reason }) => reason).join('; ')
  if (reasons.some(({ need }) => required.includes(need))) {
    test(`${name} has what REQUIRE asks for`, () => expect(text).toBe(''))
    return
  }
  describe.skip(`${name} [skipped: ${text}]`, body)
}
