import { ConnectError, toMessage, toTrace } from '../api/errors.ts'

const MESSAGE_MAX = 4_096
const TRACE_MAX = 32_768

/**
 * What a plugin threw as an error that can be logged, stored and shown: plugins may throw undefined, a text, an object
 * of any size, or an error whose properties throw when they are read.
 */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error && isHarmless(thrown)) return thrown
  const shown = thrown === undefined ? 'undefined' : shortened(textOf(thrown), MESSAGE_MAX)
  return new ConnectError(`A plugin threw something that is no usable error: ${shown}`)
}

/** The trace of an error, cut to what a status may hold. */
export const shortTrace = (error: unknown): string => shortened(toTrace(error), TRACE_MAX)

function isHarmless(error: Error): boolean {
  try {
    const { message, stack } = error
    return (
      typeof message === 'string' && message.length <= 2 * MESSAGE_MAX && typeof stack === 'string'
    )
  } catch {
    return false // Reading it threw.
  }
}

function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? toMessage(thrown) : toTrace(thrown)
  } catch {
    return 'a value that cannot be shown' // Reading it threw.
  }
}

const shortened = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}… (${text.length} characters in all)`
