import type { PluginLogger } from '../../../connector/api/plugin-metrics.ts'

const nothing = (): void => {}

export const SILENT: PluginLogger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
}
