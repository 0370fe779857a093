import { NotFoundError } from '../api/errors.ts'
import {
  configRequest,
  connectorState,
  createRequest,
  namedConfig,
  offsetsRequest,
  taskState,
} from './entities.ts'
import { HttpError, layerError } from './errors.ts'
import {
  type Answer,
  type Call,
  isTrue,
  nothing,
  ok,
  type Resource,
  type RestParts,
} from './resources.ts'

/** /connectors and everything below. */
export function connectorResources(parts: RestParts): readonly Resource[] {
  return [
    ...collection(parts),
    ...lifecycle(parts),
    ...tasks(parts),
    ...topics(parts),
    ...offsets(parts),
  ]
}

function collection({ advertisedUrl, herder, mask }: RestParts): Resource[] {
  const created = (name: string, json: unknown): Answer => ({
    status: 201,
    json,
    location: `${advertisedUrl()}/connectors/${pathSegment(name)}`,
  })
  return [
    {
      path: '/connectors',
      methods: {
        GET: async ({ query }) =>
          ok(query.has('expand') ? await expanded({ herder, mask }, query) : herder.connectors()),
        POST: async ({ body }) => {
          const { name, config, targetState } = createRequest(required(body))
          const { info } = await herder.putConnectorConfig(name, config, {
            allowReplace: false,
            ...(targetState !== undefined && { targetState }),
          })
          return created(name, await mask.hideIn(info))
        },
      },
    },
    {
      path: '/connectors/*',
      methods: {
        GET: async ({ params }) => ok(await mask.hideIn(await herder.connectorInfo(first(params)))),
        DELETE: async ({ params }) => {
          await herder.deleteConnector(first(params))
          return nothing(204)
        },
      },
    },
    {
      path: '/connectors/*/config',
      methods: {
        GET: async ({ params }) => ok(await mask.hide(await herder.connectorConfig(first(params)))),
        PUT: async ({ params, body }) => {
          const name = first(params)
          const requested = await mask.restore(name, configRequest(required(body)))
          const config = namedConfig(name, requested)
          const { isNew, info } = await herder.putConnectorConfig(name, config, {
            allowReplace: true,
          })
          const shown = await mask.hideIn(info)
          return isNew ? created(name, shown) : ok(shown)
        },
        PATCH: async ({ params, body }) => {
          const name = first(params)
          const patch = await mask.restore(name, configRequest(required(body)))
          return ok(await mask.hideIn(await herder.patchConnectorConfig(name, patch)))
        },
      },
    },
  ]
}

function lifecycle({ herder }: RestParts): Resource[] {
  return [
    {
      path: '/connectors/*/status',
      methods: {
        GET: ({ params }) => ok(connectorState(herder.connectorStatus(first(params)))),
      },
    },
    {
      path: '/connectors/*/restart',
      methods: {
        POST: async ({ params, query }) => {
          const includeTasks = isTrue(query.get('includeTasks'))
          const onlyFailed = isTrue(query.get('onlyFailed'))
          if (!includeTasks && !onlyFailed) {
            await herder.restartConnector(first(params))
            return nothing(204)
          }
          const options = { includeTasks, onlyFailed }
          const state = await herder.restartConnectorAndTasks(first(params), options)
          return { status: 202, json: connectorState(state) }
        },
      },
    },
    ...(
      [
        ['pause', 'PAUSED', 202],
        ['resume', 'STARTED', 202],
        ['stop', 'STOPPED', 204],
      ] as const
    ).map(([action, state, status]) => ({
      path: `/connectors/*/${action}`,
      methods: {
        PUT: async ({ params }: Call) => {
          await herder.setTargetState(first(params), state)
          return nothing(status)
        },
      },
    })),
  ]
}

function tasks({ herder, mask }: RestParts): Resource[] {
  return [
    {
      path: '/connectors/*/tasks',
      methods: {
        GET: async ({ params }) => {
          const connector = first(params)
          const own = await herder.connectorConfig(connector)
          const configs = await Promise.all(
            (await herder.taskConfigs(connector)).map((config) => mask.hide(config, own)),
          )
          return ok(configs.map((config, task) => ({ id: { connector, task }, config })))
        },
        POST: () => {
          throw new HttpError(
            500,
            'Kafka Connect in standalone mode does not support externally setting task configurations.',
          )
        },
      },
    },
    {
      path: '/connectors/*/tasks/*/status',
      methods: {
        GET: ({ params: [connector = '', task = ''] }) => {
          const id = taskId(task)
          return ok(taskState(id, herder.taskStatus(connector, id)))
        },
      },
    },
    {
      path: '/connectors/*/tasks/*/restart',
      methods: {
        POST: async ({ params: [connector = '', task = ''] }) => {
          await herder.restartTask(connector, taskId(task))
          return nothing(204)
        },
      },
    },
    {
      path: '/connectors/*/fence',
      methods: {
        PUT: () => {
          throw new HttpError(
            500,
            'Kafka Connect in standalone mode does not support exactly-once source connectors.',
          )
        },
      },
    },
  ]
}

function topics({ herder, topicTracking }: RestParts): Resource[] {
  const requireTracking = (): void => {
    if (!topicTracking.isEnabled) throw new HttpError(403, 'Topic tracking is disabled.')
  }
  return [
    {
      path: '/connectors/*/topics',
      methods: {
        GET: ({ params }) => {
          requireTracking()
          const connector = first(params)
          return ok({ [connector]: { topics: herder.activeTopics(connector) } })
        },
      },
    },
    {
      path: '/connectors/*/topics/reset',
      methods: {
        PUT: async ({ params }) => {
          requireTracking()
          if (!topicTracking.mayReset) throw new HttpError(403, 'Topic tracking reset is disabled.')
          await herder.resetActiveTopics(first(params))
          return nothing(202)
        },
      },
    },
  ]
}

function offsets({ herder }: RestParts): Resource[] {
  return [
    {
      path: '/connectors/*/offsets',
      methods: {
        GET: async ({ params }) => ok({ offsets: await herder.offsets(first(params)) }),
        PATCH: async ({ params, body }) => {
          const changes = offsetsRequest(required(body))
          return ok({ message: await herder.alterOffsets(first(params), changes) })
        },
        DELETE: async ({ params }) =>
          ok({ message: await herder.alterOffsets(first(params), null) }),
      },
    },
  ]
}

async function expanded(
  { herder, mask }: Pick<RestParts, 'herder' | 'mask'>,
  query: URLSearchParams,
): Promise<unknown> {
  const wanted = new Set(query.getAll('expand'))
  const result: [string, unknown][] = []
  for (const name of herder.connectors()) {
    try {
      const entry = {
        ...(wanted.has('status') && { status: connectorState(herder.connectorStatus(name)) }),
        ...(wanted.has('info') && { info: await mask.hideIn(await herder.connectorInfo(name)) }),
      }
      result.push([name, entry])
    } catch (error) {
      // It disappeared, or has no status yet: left out, as Kafka Connect does.
      if (!(error instanceof NotFoundError)) throw error
    }
  }
  return Object.fromEntries(result)
}

const first = (params: readonly string[]): string => params[0] ?? ''

/** A name as part of a path; characters that mean nothing there stay as they are, as in Java's URIs. */
const pathSegment = (name: string): string =>
  encodeURIComponent(name).replaceAll(/%(2B|26|3D|3A|40|24|2C)/g, (encoded) =>
    decodeURIComponent(encoded),
  )

const INT_MAX = 2 ** 31 - 1

/** A path's task id. What is no Java int is no path. */
function taskId(text: string): number {
  const id = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(Math.abs(id) <= INT_MAX)) throw layerError(404, false)
  return id
}

function required(body: unknown): unknown {
  if (body === undefined || body === null) {
    throw new HttpError(400, 'Expected a JSON object as the request body.')
  }
  return body
}
