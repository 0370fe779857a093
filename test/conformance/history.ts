// What earlier exchanges of a replay have left behind in our worker, where that is not what they left in the recorded one.
import type { Answer, Exchange } from './exchanges.ts'

/** The connector's name in a path, '' when it has none. */
export function requestName(path: string): string {
  const segment = path.split(/[?#]/)[0]?.split('/')[2] ?? ''
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment // Not a legal encoding, which is what the request is about.
  }
}

/** Integers that JavaScript cannot hold exactly have at least so many digits. */
export const LONG_INTEGER = /\d{17,}/

export class History {
  readonly #refused = new Set<string>()
  readonly #deleted = new Set<string>()
  readonly #unaltered = new Set<string>()

  /** Ours refused to make the connector, the recorded worker made it. */
  isRefused(name: string): boolean {
    return this.#refused.has(name)
  }

  /** A connector of that name was deleted before. */
  wasDeleted(name: string): boolean {
    return this.#deleted.has(name)
  }

  /** Ours refused to alter the connector's offsets, the recorded worker altered them. */
  isUnaltered(name: string): boolean {
    return this.#unaltered.has(name)
  }

  /** Takes the next exchange in. `isListed`: the difference, if any, is one of the listed ones. */
  add(exchange: Exchange, ours: Answer, isListed: boolean): void {
    const { answer, method, path, requestBody = '' } = exchange
    const name = requestName(path)
    const isOffsets = /\/offsets\/?$/.test(path)
    if (method === 'DELETE' && /^\/connectors\/[^/]+\/?$/.test(path) && ours.status < 300)
      this.#deleted.add(name)
    if (isOffsets && method !== 'GET') {
      const isOursOnly =
        ours.status === 400 && answer.status < 300 && LONG_INTEGER.test(requestBody)
      if (isOursOnly && isListed) this.#unaltered.add(name)
      else if (method === 'DELETE' && ours.status < 300) this.#unaltered.delete(name)
    }
    const made = madeName(exchange)
    if (made === undefined) return
    if (ours.status < 300) this.#refused.delete(made)
    else if (isListed && answer.status < 300 && ours.status === 400) this.#refused.add(made)
  }
}

/** The connector that a request would make or configure. */
function madeName({ method, path, requestBody = '' }: Exchange): string | undefined {
  if (method === 'PUT' && /\/config\/?$/.test(path)) return requestName(path)
  return method === 'POST' && /^\/connectors\/?$/.test(path.split('?')[0] ?? '')
    ? /"name"\s*:\s*"([^"]*)"/.exec(requestBody)?.[1]
    : undefined
}
