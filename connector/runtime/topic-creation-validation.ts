import type { Props } from '../api/task-context.ts'
import { javaRegexProblem } from './connector-config.ts'

const PREFIX = 'topic.creation.'
const COUNTS: Readonly<Record<string, string>> = {
  'replication.factor':
    "Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
  partitions: "Number of partitions must be positive, or -1 to use the broker's default",
}

/** What is wrong with a source's `topic.creation.*`, which Kafka Connect finds only when the connector starts. */
export function topicCreationProblems(props: Props): readonly (readonly [string, string])[] {
  const isUsed = Object.keys(props).some(
    (key) => key.startsWith(PREFIX) && key !== `${PREFIX}groups`,
  )
  const names = (props[`${PREFIX}groups`] ?? '').split(/\s*,\s*/).filter((name) => name !== '')
  if (!isUsed && names.length === 0) return []
  const groups = new Set(names.filter((name) => name !== 'default'))
  return [
    ...countProblems(props, 'default', true),
    ...[...groups].flatMap((group) => [
      ...patternProblems(props, group),
      ...countProblems(props, group, false),
    ]),
    ...strangers(props, groups),
  ]
}

function countProblems(
  props: Props,
  group: string,
  isRequired: boolean,
): readonly (readonly [string, string])[] {
  return Object.entries(COUNTS).flatMap(([setting, rule]): [string, string][] => {
    const key = `${PREFIX}${group}.${setting}`
    const text = props[key]?.trim()
    if (text === undefined) return isRequired ? [[key, missing(key)]] : []
    if (!/^[+-]?\d+$/.test(text)) {
      return [[key, `Invalid value ${text} for configuration ${key}: Not a number of type INT`]]
    }
    const value = Number(text)
    if (value >= 1 || value === -1) return []
    return [[key, `Invalid value ${text} for configuration ${key}: ${rule}`]]
  })
}

function patternProblems(props: Props, group: string): readonly (readonly [string, string])[] {
  const problems: [string, string][] = []
  const include = `${PREFIX}${group}.include`
  if (props[include] === undefined) problems.push([include, missing(include)])
  for (const key of [include, `${PREFIX}${group}.exclude`]) {
    for (const pattern of props[key]?.split(/\s*,\s*/) ?? []) {
      const problem = javaRegexProblem(pattern)
      if (problem !== undefined) {
        problems.push([key, `Invalid value ${pattern} for configuration ${key}: ${problem}`])
      }
    }
  }
  return problems
}

/** Settings of groups that `topic.creation.groups` does not name have no effect. */
function strangers(
  props: Props,
  groups: ReadonlySet<string>,
): readonly (readonly [string, string])[] {
  return Object.keys(props).flatMap((key): [string, string][] => {
    if (!key.startsWith(PREFIX) || key === `${PREFIX}groups`) return []
    const name = key.slice(PREFIX.length).split('.')[0] ?? ''
    if (name === 'default' || groups.has(name)) return []
    // A group's name may hold dots.
    if ([...groups].some((group) => key.startsWith(`${PREFIX}${group}.`))) return []
    return [
      [
        key,
        `Configuration ${key} belongs to group ${name}, which ${PREFIX}groups does not name; it names ${[...groups].join(', ') || 'none'}.`,
      ],
    ]
  })
}

const missing = (key: string): string =>
  `Missing required configuration "${key}" which has no default value.`
