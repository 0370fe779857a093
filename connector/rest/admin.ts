import { z } from 'zod'
import { parseLevel } from '../runtime/logging.ts'
import { HttpError } from './errors.ts'
import { nothing, ok, type Resource, type RestParts } from './resources.ts'

const ROOT = 'root'
const LEVEL = z.looseObject({
  level: z.union([z.string(), z.number(), z.boolean()]).transform(String),
})

const requireRoot = (name: string | undefined): void => {
  if (name !== ROOT) throw new HttpError(404, `Logger ${name} not found.`)
}

/** /admin/loggers. The worker has one logger, `root`. */
export function adminResources({ clock, logLevels }: RestParts): readonly Resource[] {
  const shown = () => ({ level: logLevels.level, last_modified: logLevels.modifiedMs ?? null })
  return [
    { path: '/admin/loggers', methods: { GET: () => ok({ [ROOT]: shown() }) } },
    {
      path: '/admin/loggers/*',
      methods: {
        GET: ({ params: [name] }) => {
          requireRoot(name)
          return ok(shown())
        },
        PUT: ({ params: [name], body, query }) => {
          const parsed = LEVEL.safeParse(body)
          if (!parsed.success) {
            throw new HttpError(400, "Desired 'level' parameter was not specified in request.")
          }
          const level = parseLevel(parsed.data.level)
          if (level === undefined) {
            throw new HttpError(404, `invalid log level '${parsed.data.level}'.`)
          }
          requireRoot(name)
          const isChanged = logLevels.set(level, clock.now())
          if (query.get('scope')?.toLowerCase() === 'cluster') return nothing(204)
          return ok(isChanged ? [ROOT] : [])
        },
      },
    },
  ]
}
