// What of two answers must be equal: everything but what differs between two machines, runs or programs.
import type { Answer } from './exchanges.ts'

/** Headers that clients see and act upon; the others belong to the HTTP server at hand (Server, Date, framing). */
const HEADERS = [
  'content-type',
  'location',
  'allow',
  'vary',
  'x-foo',
  'www-authenticate',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
]

/** An answer as it is compared: maps sorted, lists that have no order sorted, hosts, times, versions and traces by shape. */
export interface Comparable {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export function comparable({ status, headers, body }: Answer): Comparable {
  const shown: Record<string, string> = {}
  for (const name of HEADERS) {
    const value = headers[name]
    if (value !== undefined && value !== '') shown[name] = headerShape(name, value)
  }
  const cacheControl = headers['cache-control']
  if (cacheControl !== undefined && !isHtml(headers)) shown['cache-control'] = cacheControl
  return { status, headers: shown, body: bodyShape(body) }
}

export const isEqual = (a: Answer, b: Answer): boolean =>
  JSON.stringify(comparable(a)) === JSON.stringify(comparable(b))

const isHtml = (headers: Answer['headers']): boolean =>
  headers['content-type']?.startsWith('text/html') === true

function headerShape(name: string, value: string): string {
  if (name === 'content-type') return value.replace(/;.*/s, '').toLowerCase()
  if (name === 'location') return textShape(value)
  // A list of methods has no order.
  if (name === 'allow' || name.endsWith('methods')) return sortedList(value)
  return value
}

const sortedList = (text: string): string =>
  text
    .split(/\s*,\s*/)
    .sort()
    .join(',')

const METHODS = /^[A-Z]+(, [A-Z]+)+$/

function bodyShape(body: string): unknown {
  if (METHODS.test(body)) return sortedList(body)
  let json: unknown
  try {
    json = JSON.parse(exactIntegers(body))
  } catch {
    return textShape(body) // Not JSON: compared as text.
  }
  return isLoggers(json) ? loggersShape(json) : shape(json, '')
}

/** Integers beyond what a number holds keep their digits. */
const exactIntegers = (text: string): string =>
  text.replaceAll(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"')

/** Field names whose values name this build, process or moment. */
const OWN = new Set(['version', 'commit', 'kafka_cluster_id', 'trace', 'task.class', 'worker_id'])
/** Help for people, in each program's own words: there must be some. */
const PROSE = 'documentation'
/** Lists in the order of a hash map. */
const UNORDERED = new Set(['offsets'])

function shape(value: unknown, field: string): unknown {
  if (OWN.has(field)) return value === null ? null : typeof value
  if (field === PROSE) return value === '' ? 'nothing' : typeof value
  if (field === 'last_modified') return value === null ? null : typeof value
  if (typeof value === 'string') return textShape(value)
  if (Array.isArray(value)) return listShape(value, field)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, shape(item, key)])
}

function listShape(list: readonly unknown[], field: string): unknown {
  const shapes = list.map((item) => shape(item, ''))
  const isNames = field === '' && list.every((item) => typeof item === 'string')
  if (isNames) return loggerNames(list)
  // Those of converters come in the order of a hash map.
  if (field === 'groups') return [...shapes.slice(0, 4), ...shapes.slice(4).sort(order)]
  if (field === 'configs') return configsShape(list, shapes)
  return UNORDERED.has(field) ? shapes.sort(order) : shapes
}

const CONVERTERS_OWN = /^(key|value|header)\.converter\.(?!plugin\.version$)/

/** Keys of converters come in the order of a hash map after all others. */
function configsShape(list: readonly unknown[], shapes: readonly unknown[]): unknown {
  const isOwn = (index: number): boolean => {
    const { value } = list[index] as { readonly value?: { readonly name?: unknown } }
    return CONVERTERS_OWN.test(String(value?.name))
  }
  const own = shapes.filter((_shape, index) => isOwn(index))
  return [...shapes.filter((_shape, index) => !isOwn(index)), ...own.sort(order)]
}

const order = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** Names of the program's own classes: which there are is each program's business. */
const CLASS_LOGGER = /^(org|com|io|jakarta|kafka)\.[\w.$]+\.[A-Z][\w$]*$/

const loggerNames = (names: readonly string[]): readonly string[] =>
  names.filter((name) => !CLASS_LOGGER.test(name)).sort()

type Loggers = Readonly<Record<string, { readonly level: string; readonly last_modified: unknown }>>

const isLoggers = (json: unknown): json is Loggers =>
  typeof json === 'object' &&
  json !== null &&
  !Array.isArray(json) &&
  'root' in json &&
  typeof json.root === 'object' &&
  json.root !== null &&
  'last_modified' in json.root

/** The loggers that were set by name, and in what shape those of classes come. */
function loggersShape(loggers: Loggers): unknown {
  const shown = Object.entries(loggers).map(([name, { last_modified: modified }]) => {
    const isClass = CLASS_LOGGER.test(name)
    const fields = Object.keys(loggers[name] ?? {})
    return JSON.stringify([isClass ? 'a class' : name, fields, isClass ? '' : typeof modified])
  })
  return [...new Set(shown)].sort()
}

/** Text with hosts, times and lists of installed classes made equal. */
const textShape = (text: string): string =>
  text
    .replace(/(?<=^Connector config \{)[^{}]*(?=\} contains no)/, sortedList)
    .replace(/(available connectors are: ).*/s, '$1…')
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, 'worker')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replaceAll(/\[\d+(\.\d+)*\](?=$|")/g, '[version]')
