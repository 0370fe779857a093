import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { comparable, runTransformCase, type TransformCase } from '../../support/kafka-transforms.ts'

const CASES = readFileSync(
  new URL('../../fixtures/transforms/kafka-4.3.1.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as TransformCase)

const CLASSES = [...new Set(CASES.map((given) => given.class))]

describe.each(CLASSES)('%s', (className) => {
  const cases = CASES.filter((given) => given.class === className)

  test.each(
    cases.map((given): [string, TransformCase] => [
      `${JSON.stringify(given.config)} ${JSON.stringify(given.record.value).slice(-80)}`,
      given,
    ]),
  )('does with %s what Apache Kafka does', async (_name, given) => {
    expect(comparable(await runTransformCase(given), given.expect)).toEqual(
      comparable(given.expect, given.expect),
    )
  })
})
