import { storedName, tableOfTopic } from './identifiers.ts'

/** The stored name of the table that a topic's records go to. */
export type TopicToTable = (topic: string) => string

interface Rule {
  readonly topic: string
  readonly pattern: RegExp
  readonly table: string
}

/**
 * Reads `topic:table, …`, where a topic may be a regular expression that is matched against whole names; the
 * topic's own name wins over expressions, then the first rule. A text is what is wrong with it.
 */
export function parseTopicMap(text: string, replaceGroups: boolean): TopicToTable | string {
  const rules: Rule[] = []
  for (const entry of text.split(',')) {
    if (entry.trim() === '') continue
    // Table names may hold a colon in quotes; topics hold none.
    const [, topic = '', table = ''] = /^([^:]+):(.+)$/.exec(entry.trim()) ?? []
    if (topic === '' || table === '') return `Expected topic:table, got ${entry.trim()}`
    const pattern = wholeName(topic.trim())
    if (pattern === undefined) return `${topic.trim()} is neither a topic nor a regular expression`
    if (rules.some((rule) => rule.topic === topic.trim())) return `${topic.trim()} occurs twice`
    rules.push({ topic: topic.trim(), pattern, table: table.trim() })
  }
  return (topic) => {
    const rule =
      rules.find((candidate) => candidate.topic === topic) ??
      rules.find((candidate) => candidate.pattern.test(topic))
    if (rule === undefined) return tableOfTopic(topic)
    return storedName(replaceGroups ? topic.replace(rule.pattern, rule.table) : rule.table)
  }
}

function wholeName(topic: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${topic})$`)
  } catch {
    return undefined // Not a regular expression; the caller says so.
  }
}
