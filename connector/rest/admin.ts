import { z } from 'zod'
import { type LoggerState, parseLevel } from '../runtime/logging.ts'
import { HttpError } from './errors.ts'
import { nothing, ok, type Resource, type RestParts } from './resources.ts'

const LEVEL = z.looseObject({
  level: z.union([z.string(), z.number(), z.boolean()]).transform(String),
})

const shown = ({ level, modifiedMs }: LoggerState) => ({
  level,
  last_modified: modifiedMs ?? null,
})

/** /admin/loggers: the levels of the worker's loggers, changed at run time. */
export function adminResources({ clock, logLevels }: RestParts): readonly Resource[] {
  return [
    {
      path: '/admin/loggers',
      methods: {
        GET: () =>
          ok(
            Object.fromEntries([...logLevels.list()].map(([name, state]) => [name, shown(state)])),
          ),
      },
    },
    {
      path: '/admin/loggers/*',
      methods: {
        GET: ({ params: [name = ''] }) => {
          const state = logLevels.get(name)
          if (state === undefined) throw new HttpError(404, `Logger ${name} not found.`)
          return ok(shown(state))
        },
        PUT: ({ params: [name = ''], body, query }) => {
          if (typeof body === 'object' && body !== null && Array.isArray(body)) {
            throw new HttpError(500, 'Cannot deserialize the request: expected an object.')
          }
          const parsed = LEVEL.safeParse(body)
          if (!parsed.success) {
            throw new HttpError(400, "Desired 'level' parameter was not specified in request.")
          }
          const level = parseLevel(parsed.data.level)
          if (level === undefined) {
            throw new HttpError(404, `invalid log level '${parsed.data.level}'.`)
          }
          const changed = logLevels.set(name, level, clock.now())
          return query.get('scope')?.toLowerCase() === 'cluster' ? nothing(204) : ok(changed)
        },
      },
    },
  ]
}
