// The rules that keep the tree tidy, checked on every file. `.oxlintrc.json` checks what a linter can.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

/** Who may import whom; DESIGN.md has the reasons. A folder that is missing here may import nothing of ours. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'connector/api': [],
  'connector/kafka': ['connector/api'],
  'connector/storage': ['connector/api', 'connector/kafka/client.ts'],
  'connector/converters': ['connector/api'],
  'connector/transforms': ['connector/api'],
  'connector/runtime': [
    'connector/api',
    'connector/storage',
    'connector/kafka/client.ts',
    'connector/converters',
    'connector/transforms',
  ],
  'connector/rest': ['connector/api', 'connector/runtime'],
  'connector/snowflake': ['connector/api'],
  'connector/local': ['connector/api'],
  'source-mta': ['connector/api'],
  'ui/extension': ['connector/api'],
}
/** These put the parts together; nothing but tests and tools may import them. */
const COMPOSITION_ROOTS = new Set(['connector/cli'])
const ROOT = path.resolve(import.meta.dirname, '..')

const list = (folder: string): string[] =>
  existsSync(path.join(ROOT, folder))
    ? readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .map((name) => path.join(folder, name))
        .filter((name) => !name.includes('node_modules') && !name.startsWith('ui/dist'))
    : []
const isSource = (name: string): boolean => /\.(ts|tsx|mjs)$/.test(name)
const SOURCES = ['connector', 'source-mta', 'ui', 'tools', 'test'].flatMap(list).filter(isSource)
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8')

function moduleOf(file: string): string {
  const [top = '', second = ''] = file.split('/')
  if (top === 'ui')
    return second === 'extension.ts' || second === 'live' ? 'ui/extension' : 'ui/src'
  return top === 'connector' ? `${top}/${second}` : top
}

test('imports go only where the table in connector/DESIGN.md lets them', () => {
  const wrong: string[] = []
  for (const file of SOURCES) {
    const from = moduleOf(file)
    if (COMPOSITION_ROOTS.has(from) || ['test', 'tools', 'ui/src'].includes(from)) continue
    const allowed = MAY_IMPORT[from] ?? []
    for (const [, target = ''] of read(file).matchAll(/from '(\.[^']+)'/g)) {
      const resolved = path.normalize(path.join(path.dirname(file), target))
      const to = moduleOf(resolved)
      if (to === from || allowed.includes(to) || allowed.includes(resolved)) continue
      wrong.push(`${file} imports ${resolved}`)
    }
  }
  expect(wrong).toEqual([])
})

test('only one file imports the Kafka library', () => {
  const importers = SOURCES.filter(
    (file) => !file.startsWith('test/') && /from '@confluentinc\/kafka-javascript/.test(read(file)),
  )
  expect(importers.filter((file) => file !== 'connector/kafka/confluent.ts')).toEqual([])
})

test('files stay under 400 lines of code', () => {
  const long = SOURCES.flatMap((file) => {
    const lines = read(file)
      .split('\n')
      .filter((line) => !/^\s*($|\/\/|\*|\/\*)/.test(line)).length
    return lines > 400 ? [`${file}: ${lines}`] : []
  })
  expect(long).toEqual([])
})

test('time, randomness, the environment and the network come from outside', () => {
  const allowed =
    /^(connector\/(cli|kafka|local|rest)\/|connector\/runtime\/clock\.ts|connector\/snowflake\/(http|sql)|connector\/converters\/registry-http|source-mta\/(fetch|simulator\/)|ui\/|tools\/|test\/)/
  const wrong = SOURCES.filter((file) => !allowed.test(file)).flatMap((file) =>
    /\b(Date\.now\(|Math\.random\(|setTimeout\(|setInterval\(|process\.env|fetch\()/.test(
      read(file).replaceAll(/^\s*(\/\/|\*).*$/gm, ''),
    )
      ? [file]
      : [],
  )
  expect(wrong).toEqual([])
})

test('no file is named for what it is not about', () => {
  expect(
    SOURCES.filter((file) => /(utils?|helpers?|misc|common)\.(ts|tsx|mjs)$/.test(file)),
  ).toEqual([])
})
