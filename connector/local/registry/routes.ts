import { RegistryError } from './registry-error.ts'
import type { RegistryRequest } from './request.ts'

/** What a handler answers with 200: a value to be written as JSON, or a text that is JSON already. */
export type Answer = { readonly json: unknown } | { readonly text: string }
export type Handler = (request: RegistryRequest) => Answer | Promise<Answer>

/** `GET /subjects/{subject}/versions` and what answers it. */
export type Routes = Readonly<Record<string, Handler>>

interface Route {
  readonly method: string
  readonly segments: readonly string[]
  readonly handler: Handler
}

export interface Found {
  readonly handler: Handler
  readonly params: Readonly<Record<string, string>>
}

/** Finds what answers a method and a path. Throws 404 for an unknown path, 405 for an unknown method of it. */
export function router(...tables: readonly Routes[]): (method: string, path: string) => Found {
  const routes: Route[] = tables.flatMap((table) =>
    Object.entries(table).map(([key, handler]) => {
      const [method = '', path = ''] = key.split(' ')
      return { method, segments: split(path), handler }
    }),
  )
  return (method, path) => {
    const segments = split(path)
    const matching = routes.flatMap((route) => {
      const params = match(route.segments, segments)
      return params === undefined ? [] : [{ route, params }]
    })
    if (matching.length === 0) throw new RegistryError(404, 'HTTP 404 Not Found')
    const wanted = method === 'HEAD' ? 'GET' : method
    const found = matching.find(({ route }) => route.method === wanted)
    if (found === undefined) throw new RegistryError(405, 'HTTP 405 Method Not Allowed')
    return { handler: found.route.handler, params: found.params }
  }
}

const split = (path: string): readonly string[] => path.split('/').filter((part) => part !== '')

/** Segments in braces match anything and are decoded: a subject may hold an escaped slash. */
function match(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i] ?? ''
    if (!part.startsWith('{')) {
      if (part !== segment) return undefined
      continue
    }
    const value = decode(segment)
    // A number in the pattern is part of the path: other text is another path.
    if (part === '{id}' && !/^\d{1,10}$/.test(value)) return undefined
    params[part.slice(1, -1)] = value
  }
  return params
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    throw new RegistryError(400, `Not a legal percent-encoding: ${segment}`, { cause: error })
  }
}
