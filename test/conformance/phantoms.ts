// The JVM worker lists what it cannot get rid of: connectors whose names no URL reaches, tasks that were never configured.
import type { Answer } from './exchanges.ts'

const UNREACHABLE_NAME = /[%/\\]/

/** The answer without them; undefined when there are none. */
export function withoutPhantoms(answer: Answer): Answer | undefined {
  if (!/^[[{]/.test(answer.body)) return undefined
  const json: unknown = JSON.parse(answer.body)
  const stripped = strip(json)
  const body = JSON.stringify(stripped)
  return body === JSON.stringify(json) ? undefined : { ...answer, body }
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isPhantom(item)).map((item) => strip(item))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !(UNREACHABLE_NAME.test(key) && typeof item === 'object'))
      .map(([key, item]) => [key, strip(item)]),
  )
}

/** A name that no URL reaches, or the status of a task that failed without ever having been loaded. */
function isPhantom(item: unknown): boolean {
  if (typeof item === 'string') return UNREACHABLE_NAME.test(item)
  if (typeof item !== 'object' || item === null) return false
  const { id, trace, version } = item as Readonly<Record<string, unknown>>
  return typeof id === 'number' && version === null && typeof trace === 'string'
}
