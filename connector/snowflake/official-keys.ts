// Keys of Snowflake's own connector (4.1) that this one does not have: each is passed over or refused, and says why.
import type { Props } from '../api/task-context.ts'

/** Values that ask for what this connector does anyway are fine; others change what would be stored, so they are refused. */
const REFUSED: Readonly<
  Record<string, { readonly allowed: readonly string[]; readonly why: string }>
> = {
  'snowflake.enable.schematization': {
    allowed: ['true'],
    why: 'every field has its own column here; there is no RECORD_CONTENT',
  },
  'snowflake.metadata.all': { allowed: ['true'], why: 'RECORD_METADATA has a fixed shape' },
  'snowflake.metadata.createtime': { allowed: ['true'], why: 'RECORD_METADATA has a fixed shape' },
  'snowflake.metadata.topic': { allowed: ['true'], why: 'RECORD_METADATA has a fixed shape' },
  'snowflake.metadata.offset.and.partition': {
    allowed: ['true'],
    why: 'RECORD_METADATA has a fixed shape',
  },
  'snowflake.streaming.metadata.connectorPushTime': {
    allowed: ['true'],
    why: 'RECORD_METADATA has a fixed shape',
  },
  'snowflake.streaming.classic.offset.migration': {
    allowed: ['skip'],
    why: 'offsets of classic channels are not migrated; the positions of 4.x channels are read as they are',
  },
}

/** Prefixes of keys that tune what does not exist here: the JVM, JDBC, the SDK and its caches. */
const PASSED_OVER = [
  'jvm.',
  'jmx',
  'snowflake.jdbc.map',
  'snowflake.streaming.client.provider.override.map',
  'snowflake.streaming.validate.compatibility.with.classic',
  'snowflake.compatibility.',
  'snowflake.feature.',
  'snowflake.cache.',
  'snowflake.open.channel.io.threads',
  'snowflake.streaming.metrics.prometheus.',
  'snowflake.validation',
  'enable.mdc.logging',
  'enable.task.fail.on.authorization.errors',
  'snowflake.streaming.max.client.lag',
  'snowflake.ingestion.method',
  'buffer.',
]

/** What to say about keys that only the official connector has, and about `snowflake.` keys that nobody has. `known`: this connector's. */
export function officialKeyProblems(
  props: Props,
  known: readonly string[],
): {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
} {
  const errors: string[] = []
  const warnings: string[] = []
  for (const [key, value] of Object.entries(props)) {
    const rule = REFUSED[key]
    if (rule !== undefined && !rule.allowed.includes(value.trim().toLowerCase())) {
      errors.push(`Invalid value ${value} for configuration ${key}: ${rule.why}`)
    }
    if (known.includes(key)) continue
    if (isPassedOver(key)) warnings.push(`${key} has no meaning here and is passed over.`)
    else if (key.startsWith('snowflake.') && rule === undefined) {
      errors.push(`Unknown configuration ${key}; the nearest one is ${nearest(key, known)}`)
    }
  }
  return { errors, warnings }
}

const isPassedOver = (key: string): boolean =>
  PASSED_OVER.some((prefix) => key === prefix || (prefix.endsWith('.') && key.startsWith(prefix)))

const nearest = (key: string, known: readonly string[]): string =>
  known.reduce((best, other) => (distance(key, other) < distance(key, best) ? other : best), '')

/** How many letters have to be added, dropped or changed to make one text of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
