import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PYTHON } from '../support/needs.ts'
import { describeWithModule } from '../support/python-module.ts'
import { startTestRegistry, type TestRegistry } from '../support/registry.ts'

const SCRIPT = path.join(import.meta.dirname, 'registry-client.py')

describeWithModule(
  'confluent_kafka.schema_registry.avro',
  'the local registry for confluent-kafka (Python)',
  () => {
    let registry: TestRegistry
    beforeAll(async () => {
      registry = await startTestRegistry()
    })
    afterAll(() => registry.remove())

    test('registers, evolves, checks, writes, reads and deletes', async () => {
      const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, registry.url])
      const answer = JSON.parse(stdout.replace('4611686018427387904', '"2^62"')) as object
      expect(answer).toMatchObject({
        values: [
          { a: 'x', b: 7 },
          { a: 'y', b: '2^62' },
          { a: 'z', b: 1 },
        ],
        ids: [1, 2, 2],
        compatible: [true, true, false],
        refused: [409, 40901],
        subjects: ['py-value'],
        versions: [1, 2],
        contexts: ['.'],
        deleted: [1, 2],
        purged: [1, 2],
      })
    })
  },
)
