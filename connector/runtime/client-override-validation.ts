import type { ConfigValue } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { clientProperties } from './client-properties.ts'
import type { ConfigInfo } from './herder.ts'
import type { ClientKind, WorkerServices } from './worker-services.ts'

const PRINCIPAL_KEYS = new Set(['sasl.jaas.config', 'sasl.mechanism', 'security.protocol'])
const SECRET = /jaas|password|secret|\.key$|token|credential/i

/** The short names and Kafka's class names of the policies. */
const POLICIES: Readonly<Record<string, string>> = {
  AllConnectorClientConfigOverridePolicy: 'All',
  NoneConnectorClientConfigOverridePolicy: 'None',
  PrincipalConnectorClientConfigOverridePolicy: 'Principal',
}

/** `All`, `None` or `Principal`, given by that name or by Kafka's class; undefined for another. */
export function overridePolicy(text: string): 'All' | 'None' | 'Principal' | undefined {
  const simple = text.trim().replace(/^org\.apache\.kafka\.connect\.connector\.policy\./, '')
  const name = POLICIES[simple] ?? simple
  return name === 'All' || name === 'None' || name === 'Principal' ? name : undefined
}

/** The clients that a connector's tasks use, whose settings it may override. */
function clientsOf(kind: 'source' | 'sink', props: Props): readonly ClientKind[] {
  const hasQueue = (props['errors.deadletterqueue.topic.name'] ?? '').trim() !== ''
  if (kind === 'sink') return hasQueue ? ['consumer', 'producer', 'admin'] : ['consumer']
  const makesTopics = Object.keys(props).some((key) => key.startsWith('topic.creation.'))
  return makesTopics ? ['producer', 'admin'] : ['producer']
}

/** The settings that a connector overrides, with what the worker's policy or the client itself has against them. */
export function clientOverrides(
  kind: 'source' | 'sink',
  props: Props,
  services: WorkerServices,
): readonly ConfigInfo[] {
  const policy = overridePolicy(services.config['connector.client.config.override.policy'])
  return clientsOf(kind, props).flatMap((client) => {
    const prefix = `${client}.override.`
    const keys = Object.keys(props).filter((key) => key.startsWith(prefix))
    const refused = new Set(
      policy === 'All'
        ? []
        : keys.filter(
            (key) => policy !== 'Principal' || !PRINCIPAL_KEYS.has(key.slice(prefix.length)),
          ),
    )
    const problems = refused.size > 0 ? [] : clientProblems(client, keys, props, services)
    return keys.map((key) => {
      const errors = problems.filter(([at]) => at === key).map(([, error]) => error)
      if (refused.has(key)) {
        errors.push(
          `The '${policy}' policy does not allow '${key.slice(prefix.length)}' to be overridden in the connector configuration.`,
        )
      }
      return { definition: null, value: valueOf(key, props[key] ?? '', errors) }
    })
  })
}

/** Which of the overridden settings the client would refuse when a task starts: each is tried without the others. */
function clientProblems(
  client: ClientKind,
  keys: readonly string[],
  props: Props,
  services: WorkerServices,
): readonly (readonly [string, string])[] {
  const attempt = (only: readonly string[]): string | undefined => {
    const chosen = Object.fromEntries(only.map((key) => [key, props[key] ?? '']))
    const java = { 'group.id': 'connect', ...clientProperties(client, services.props, chosen) }
    try {
      services.translate(client, java)
      return undefined
    } catch (error) {
      if (error instanceof ConfigError) return error.message
      throw error
    }
  }
  const together = attempt(keys)
  if (together === undefined) return []
  const single = keys.flatMap((key): [string, string][] => {
    const problem = attempt([key])
    return problem === undefined ? [] : [[key, problem]]
  })
  const [first] = keys
  return single.length > 0 || first === undefined ? single : [[first, together]]
}

const valueOf = (name: string, value: string, errors: readonly string[]): ConfigValue => ({
  name,
  value: SECRET.test(name) ? '[hidden]' : value,
  recommendedValues: [],
  errors,
  visible: true,
})
