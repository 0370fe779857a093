import { ConfigError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { BASIC_AUTH_EXTENSION, BasicAuth } from '../rest/basic-auth.ts'
import { type Listener, parseListener, requireSafe } from '../rest/server.ts'
import { clientProperties } from '../runtime/client-properties.ts'
import { converterProblems } from '../runtime/converter-validation.ts'
import { classNotFound, type Plugins } from '../runtime/plugins.ts'
import { parseWorkerConfig, type WorkerConfig } from '../runtime/worker-config.ts'
import type { TranslateClientConfig } from '../runtime/worker-services.ts'

/** Everything that the worker's properties must be. Throws one `ConfigError` that names every problem. */
export async function readWorkerConfig(
  props: Props,
  translate: TranslateClientConfig,
  plugins: Plugins,
): Promise<{
  readonly config: WorkerConfig
  readonly listeners: readonly Listener[]
  readonly adminListeners: readonly Listener[] | undefined
}> {
  const problems = new Set<string>()
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.add(error.message)
      return undefined
    }
  }
  const config = collect(() => parseWorkerConfig(props))
  const authentication = collect(() => BasicAuth.of(props))
  const listeners = collect(() => readListeners(config, props, authentication !== undefined))
  const adminListeners = collect(() => readAdminListeners(config, props))
  for (const problem of await pluginProblems(props, plugins)) problems.add(problem)
  for (const kind of ['producer', 'consumer', 'admin'] as const) {
    const java = { 'group.id': 'connect', ...clientProperties(kind, props, {}) }
    collect(() => translate(kind, java))
  }
  if (config === undefined || listeners === undefined || problems.size > 0) {
    throw new ConfigError([...problems].join('\n'))
  }
  return { config, listeners, adminListeners }
}

/** Also of a configuration that is wrong elsewhere, so that everything is said at once. */
function readListeners(
  config: WorkerConfig | undefined,
  props: Props,
  hasAuthentication: boolean,
): readonly Listener[] {
  const texts = config?.listeners ?? (props['listeners'] ?? '').split(',')
  const listeners = parseListeners(texts)
  requireSafe(listeners, hasAuthentication || isInsecureAllowed(props))
  return listeners
}

/** Authentication does not cover them, as in Kafka Connect. */
function readAdminListeners(
  config: WorkerConfig | undefined,
  props: Props,
): readonly Listener[] | undefined {
  const text = config?.['admin.listeners']
  if (text === undefined) return undefined
  const listeners = parseListeners(text.split(','))
  requireSafe(listeners, isInsecureAllowed(props))
  return listeners
}

const parseListeners = (texts: readonly string[]): readonly Listener[] =>
  texts.flatMap((text) => (text.trim() === '' ? [] : [parseListener(text.trim())]))

const isInsecureAllowed = (props: Props): boolean =>
  props['listeners.insecure']?.trim().toLowerCase() === 'true'

/** What is wrong with the classes that the worker itself names, and with the settings of its converters. */
async function pluginProblems(props: Props, plugins: Plugins): Promise<readonly string[]> {
  const converters = await converterProblems(props, plugins)
  const extensions = (props['rest.extension.classes'] ?? '').split(',').flatMap((text) => {
    const name = text.trim()
    const isKnown =
      name === '' ||
      name === BASIC_AUTH_EXTENSION ||
      plugins.find(name, 'rest_extension') !== undefined
    return isKnown ? [] : [classNotFound('rest.extension.classes', name)]
  })
  return [...converters.map(({ message }) => message), ...extensions]
}
