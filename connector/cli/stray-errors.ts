import type { PluginLogger } from '../api/plugin-metrics.ts'
import { asError } from '../runtime/thrown.ts'

/** A plugin's error in a timer or a forgotten promise must not end the other connectors: from now on it is logged. */
export function survive(log: PluginLogger): void {
  const onStray = (thrown: unknown): void =>
    log.error({ err: asError(thrown) }, 'An error was not caught by anyone; this is a bug.')
  process.on('uncaughtException', onStray)
  process.on('unhandledRejection', onStray)
}
