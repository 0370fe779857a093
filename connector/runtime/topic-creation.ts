import { ConfigError, ConnectError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import type { Admin, NewTopic } from '../kafka/client.ts'
import { topicsRegex } from './connector-config.ts'

interface Group {
  readonly name: string
  readonly include: readonly RegExp[]
  readonly exclude: readonly RegExp[]
  readonly settings: Omit<NewTopic, 'topic'>
}

const PREFIX = 'topic.creation.'
const NOT_A_SETTING = new Set(['include', 'exclude', 'partitions', 'replication.factor'])
const ADMIN_TIMEOUT_MS = 10_000

/** How the topics of a source connector are made (KIP-158): the first group that a topic's name fits, else `default`. */
export class TopicCreation {
  readonly #groups: readonly Group[]
  readonly #known = new Set<string>()

  constructor(groups: readonly Group[]) {
    this.#groups = groups
  }

  /** Undefined when the configuration has no `topic.creation.*`. @throws ConfigError naming the key. */
  static of(props: Props): TopicCreation | undefined {
    if (!Object.keys(props).some((key) => key.startsWith(PREFIX))) return undefined
    const names = (props[`${PREFIX}groups`] ?? '').split(/\s*,\s*/).filter((name) => name !== '')
    return new TopicCreation(
      [...names.filter((name) => name !== 'default'), 'default'].map((name) =>
        groupOf(props, name),
      ),
    )
  }

  /** The settings for a topic that is to be made. */
  settings(topic: string): NewTopic {
    const group = this.#groups.find(
      ({ include, exclude }) =>
        include.some((regex) => regex.test(topic)) && !exclude.some((regex) => regex.test(topic)),
    )
    if (group === undefined) throw new ConnectError(`No topic.creation group fits topic ${topic}.`)
    return { topic, ...group.settings }
  }

  isKnown(topic: string): boolean {
    return this.#known.has(topic)
  }

  /** Makes the topic unless it exists; an existing one is left as it is. */
  async ensure(topic: string, admin: Admin): Promise<void> {
    if ((await admin.describeTopic(topic, ADMIN_TIMEOUT_MS)) === undefined) {
      await admin.createTopic(this.settings(topic), ADMIN_TIMEOUT_MS)
    }
    this.#known.add(topic)
  }
}

function groupOf(props: Props, name: string): Group {
  const prefix = `${PREFIX}${name}.`
  const isDefault = name === 'default'
  const config = Object.fromEntries(
    Object.entries(props).flatMap(([key, value]) => {
      const setting = key.slice(prefix.length)
      return key.startsWith(prefix) && !NOT_A_SETTING.has(setting) ? [[setting, value]] : []
    }),
  )
  return {
    name,
    include: isDefault ? [/^/] : regexes(props, `${prefix}include`),
    exclude: isDefault ? [] : regexes(props, `${prefix}exclude`),
    settings: {
      partitions: count(props, `${prefix}partitions`),
      replicationFactor: count(props, `${prefix}replication.factor`),
      config,
    },
  }
}

function regexes(props: Props, key: string): RegExp[] {
  const text = props[key]
  if (text === undefined) {
    if (key.endsWith('.exclude')) return []
    throw new ConfigError(`Missing required configuration "${key}" which has no default value.`)
  }
  return text.split(/\s*,\s*/).map((pattern) => topicsRegex(pattern))
}

function count(props: Props, key: string): number {
  const text = props[key] ?? props[key.replace(/^topic\.creation\.[^.]+\./, `${PREFIX}default.`)]
  if (text === undefined) {
    throw new ConfigError(`Missing required configuration "${key}" which has no default value.`)
  }
  const value = Number(text)
  if (!Number.isInteger(value) || (value < 1 && value !== -1)) {
    throw new ConfigError(
      `Invalid value ${text} for configuration ${key}: must be positive, or -1 to use the broker's default`,
    )
  }
  return value
}
