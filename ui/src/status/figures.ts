import type { ConnectorMetrics } from '../../live/messages.ts'

/** Half a minute: a source polls in bursts, and between two of them nothing flows. */
const SAMPLES = 15

/** Records per second over the last samples. */
export function recentRate(samples: readonly ConnectorMetrics[]): number {
  const recent = samples.slice(-SAMPLES)
  const sum = recent.reduce((total, { recordsPerSecond }) => total + recordsPerSecond, 0)
  return recent.length === 0 ? 0 : sum / recent.length
}

const SECRET =
  /password|passphrase|secret|token|credential|api\.?key|private\.key$|jaas\.config|user\.info|\.auth$/i

/** A value of a configuration as it may be shown: the REST API has secrets in plain text, as Kafka Connect's does. */
export const shownValue = (key: string, value: string): string =>
  // A reference to where the secret is tells nothing.
  SECRET.test(key) && value !== '' && !/^\$\{[^}]*\}$/.test(value) ? '[hidden]' : value
