import type { Reporter, TestModule } from 'vitest/node'

/** Ends every run with its figures, and says why tests were skipped. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    const reasons = new Map<string, number>()
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++
      // A beforeAll that fails leaves its tests skipped: without this line the run would look whole.
      for (const suite of module.children.allSuites())
        if (suite.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state]++
        if (state !== 'skipped') continue
        const reason = /\[skipped: ([^\]]+)\]/.exec(test.fullName)?.[1] ?? 'no reason given'
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      }
    }
    const lines = [...reasons].map(([reason, count]) => `skipped ${count}: ${reason}`)
    const skipped = counts.skipped + counts.pending
    lines.push(
      `${counts.passed} passed, ${counts.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    )
    process.stdout.write(`\n${lines.join('\n')}\n`)
  }
}
