import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { describeWith, missing, PYTHON } from './needs.ts'

/** `describeWith(['python'], …)` that also needs a Python package: skipped visibly, or failing under REQUIRE. */
export function describeWithModule(module: string, name: string, body: () => void): void {
  const absent =
    missing('python') === undefined && spawnSync(PYTHON, ['-c', `import ${module}`]).status !== 0
  if (!absent) {
    describeWith(['python'], name, body)
    return
  }
  const reason = `the Python environment has no ${module}`
  if ((process.env['REQUIRE'] ?? '').split(',').includes('python')) {
    test(`${name} has what REQUIRE asks for`, () => expect(reason).toBe(''))
    return
  }
  describe.skip(`${name} [skipped: ${reason}]`, body)
}
