import { inspect } from 'node:util'

/** Holds a secret so that neither a log line nor a REST answer can show it by accident. */
export class Password {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[hidden]'
  }
  toJSON(): string {
    return '[hidden]'
  }
  [inspect.custom](): string {
    return '[hidden]'
  }
}
