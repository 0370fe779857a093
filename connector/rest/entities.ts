// Requests as they may come, and answers under Kafka Connect's field names.
import { z } from 'zod'
import type { ConfigKeyInfo, ConfigValue } from '../api/config-def.ts'
import type {
  ConfigInfos,
  ConnectorOffset,
  ConnectorStateInfo,
  RequestedConfig,
  Status,
  TargetState,
} from '../runtime/herder.ts'
import { HttpError } from './errors.ts'

// JSON scalars become strings, as Jackson makes them for a Map<String, String>.
const TEXT = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => (value === null ? null : String(value)))
const CONFIG = z.record(z.string(), TEXT)
const TARGETS: Readonly<Record<string, TargetState>> = {
  RUNNING: 'STARTED',
  PAUSED: 'PAUSED',
  STOPPED: 'STOPPED',
}
const CREATE = z.strictObject({
  name: TEXT.optional(),
  config: CONFIG.nullish(),
  initial_state: TEXT.optional(),
})
const OFFSET_MAP = z.record(z.string(), z.unknown()).nullable().optional()
const OFFSETS = z.strictObject({
  offsets: z.array(z.strictObject({ partition: OFFSET_MAP, offset: OFFSET_MAP })).nullish(),
})

export interface CreateConnectorRequest {
  readonly name: string
  readonly config: RequestedConfig
  readonly targetState: TargetState | undefined
}

/** Reads the body of POST /connectors. */
export function createRequest(json: unknown): CreateConnectorRequest {
  const body = check(CREATE, json)
  if (body.config === null || body.config === undefined) {
    throw new HttpError(400, 'Expected a field "config" with the connector\'s configuration.')
  }
  const name = (body.name ?? '').trim()
  return {
    name,
    config: namedConfig(name, body.config),
    targetState: targetState(body.initial_state ?? undefined),
  }
}

/** Reads a flat configuration, as PUT and PATCH …/config and validate have it. */
export const configRequest = (json: unknown): RequestedConfig => check(CONFIG, json)

/** The configuration with its name; one that differs from the connector's is refused. */
export function namedConfig(name: string, config: RequestedConfig): RequestedConfig {
  const given = config['name']
  if (given === undefined || given === null) return { ...config, name }
  if (given === name) return config
  throw new HttpError(
    400,
    `Connector name configuration (${given}) doesn't match connector name in the URL (${name})`,
  )
}

/** Reads the body of PATCH …/offsets. */
export function offsetsRequest(json: unknown): readonly ConnectorOffset[] {
  const { offsets } = check(OFFSETS, json)
  if (offsets === null || offsets === undefined || offsets.length === 0) {
    throw new HttpError(
      400,
      'Partitions / offsets need to be provided for an alter offsets request',
    )
  }
  for (const { partition, offset } of offsets) {
    requireExact(partition)
    requireExact(offset)
  }
  return offsets.map(({ partition, offset }) => ({
    partition: partition ?? null,
    offset: offset ?? null,
  })) as ConnectorOffset[]
}

/** An integer that a number cannot hold would be stored as another one. */
function requireExact(map: Readonly<Record<string, unknown>> | null | undefined): void {
  for (const [key, value] of Object.entries(map ?? {})) {
    if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value))
      continue
    throw new HttpError(
      400,
      `The value of ${key} is an integer beyond ${Number.MAX_SAFE_INTEGER}, which cannot be kept exactly.`,
    )
  }
}

function check<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const issues = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
  )
  throw new HttpError(500, `Cannot deserialize the request: ${issues.join('; ')}`)
}

function targetState(text: string | undefined): TargetState | undefined {
  if (text === undefined) return undefined
  const state = TARGETS[text.toUpperCase()]
  if (state === undefined) {
    throw new HttpError(
      500,
      `Cannot construct initial_state: No enum constant for ${text}; expected RUNNING, PAUSED or STOPPED.`,
    )
  }
  return state
}

const status = ({ state, workerId, version, trace }: Status) => ({
  state,
  worker_id: workerId,
  version: version ?? null,
  ...(trace !== undefined && trace !== '' && { trace }),
})

export const taskState = (id: number, task: Status) => ({ id, ...status(task) })

export const connectorState = ({ name, connector, tasks, type }: ConnectorStateInfo) => ({
  name,
  connector: status(connector),
  tasks: tasks.map(([id, task]) => taskState(id, task)),
  type,
})

export const configKeyInfo = (info: ConfigKeyInfo) => ({
  name: info.name,
  type: info.type,
  required: info.required,
  default_value: info.default_value,
  importance: info.importance,
  documentation: info.documentation,
  group: info.group,
  order_in_group: info.order,
  width: info.width,
  display_name: info.display_name,
  dependents: info.dependents,
})

const configValue = (value: ConfigValue) => ({
  name: value.name,
  value: value.value,
  recommended_values: value.recommendedValues,
  errors: value.errors,
  visible: value.visible,
})

export const configInfos = (infos: ConfigInfos) => ({
  name: infos.name,
  error_count: infos.errorCount,
  groups: infos.groups,
  configs: infos.configs.map(({ definition, value }) => ({
    definition: definition === null ? null : configKeyInfo(definition),
    value: configValue(value),
  })),
})
