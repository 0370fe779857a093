import type { PluginLogger } from '../../connector/api/plugin-metrics.ts'

/** A log that keeps its lines. */
export interface RecordingLog extends PluginLogger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[]
}

export function recordingLog(): RecordingLog {
  const lines: RecordingLog['lines'] = []
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields, message })
    }
  return {
    lines,
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}
