import { ConnectError } from '../api/errors.ts'
import { callError, isNativeError } from './native-errors.ts'
import type { NativeError } from './native.ts'

/** Runs a call of the native client; resolves with its error, if any. */
export function call(
  start: (done: (error: NativeError | null | undefined) => void) => void,
): Promise<NativeError | undefined> {
  return new Promise((resolve, reject) => {
    try {
      start((error) => resolve(error ?? undefined))
    } catch (error) {
      if (isNativeError(error)) resolve(error)
      else reject(new ConnectError('The native Kafka client refused a call.', { cause: error }))
    }
  })
}

/** Runs a call that answers something. @throws the error that `callError` makes of the native one. */
export function ask<T>(
  what: string,
  start: (done: (error: NativeError | null | undefined, answer: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, answer) => {
      if (error == null) resolve(answer)
      else reject(callError(what, error))
    })
  })
}

/** Runs a call that returns at once. @throws the error that `callError` makes of the native one. */
export function callNow(what: string, start: () => void): void {
  try {
    start()
  } catch (error) {
    throw isNativeError(error) ? callError(what, error) : error
  }
}
