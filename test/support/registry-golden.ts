import { expect } from 'vitest'

/** One recorded request, and what Confluent's registry answers. */
export interface Step {
  readonly n: number
  readonly group: string
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown }
  readonly confluent: {
    readonly status: number
    readonly error_code?: number
    readonly message?: string
    readonly body?: unknown
    readonly note?: string
  }
}

/** What the body must be, as far as the recording says. */
export function bodyOf(n: number, { error_code, message, body }: Step['confluent']): unknown {
  if (n === 3) return expect.arrayContaining(body as unknown[])
  if (error_code !== undefined) {
    return { error_code, message: message === undefined ? expect.any(String) : like(message) }
  }
  if (body === undefined) return expect.anything()
  return typeof body === 'object' && !Array.isArray(body)
    ? expect.objectContaining(body as object)
    : body
}

/** "[..]" in the recording stands for any list. */
function like(message: string): unknown {
  if (!message.includes('[..]')) return message
  const [before = '', after = ''] = message
    .split('[..]')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return expect.stringMatching(new RegExp(`^${before}\\[.*\\]${after}$`, 's'))
}
