import { defineConfig } from 'vitest/config'
import { SummaryReporter } from './test/support/summary-reporter.ts'

const SLOW = ['test/integration/**/*.test.ts', 'test/browser/**/*.test.ts']

export default defineConfig({
  test: {
    environment: 'node',
    restoreMocks: true,
    unstubGlobals: true,
    // The native Kafka client kills a process that loads it in a worker thread.
    pool: 'forks',
    env: { UV_THREADPOOL_SIZE: '16' },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: SLOW,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Whole stacks, real brokers and browsers: one after the other, or they fight for cores and ports.
        test: {
          name: 'integration',
          include: SLOW,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
