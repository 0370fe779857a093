// JSON with its numbers as they were written: a schema's identity is its text, and 1.0 is not 1, nor does a
// long fit a double.

/** A number as its JSON text. */
export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.text)
  }
}

export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject
/** Keys in their order; the last of two equal ones counts. */
export type JsonObject = ReadonlyMap<string, Json>

export class JsonSyntaxError extends Error {}

const DEPTH_MAX = 400
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const SPACE = /[ \t\n\r]*/y
// oxlint-disable-next-line no-control-regex -- JSON forbids them in strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y

/** Throws a `JsonSyntaxError` that names the position. */
export function parseJson(text: string): Json {
  const reader = new Reader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  #pos = 0
  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Json {
    if (depth > DEPTH_MAX) this.#fail(`more than ${DEPTH_MAX} levels`)
    this.#match(SPACE)
    const start = this.#text[this.#pos]
    switch (start) {
      case '{':
        return this.#object(depth + 1)
      case '[':
        return this.#array(depth + 1)
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      case undefined:
      default:
        return new JsonNumber(this.#match(NUMBER) ?? this.#fail('not a JSON value'))
    }
  }

  end(): void {
    this.#match(SPACE)
    if (this.#pos < this.#text.length) this.#fail('more after the end')
  }

  #object(depth: number): JsonObject {
    const object = new Map<string, Json>()
    this.#pos++
    if (this.#take('}')) return object
    do {
      this.#match(SPACE)
      const key = this.#string()
      if (!this.#take(':')) this.#fail('expected ":"')
      object.set(key, this.value(depth))
    } while (this.#take(','))
    if (!this.#take('}')) this.#fail('expected "," or "}"')
    return object
  }

  #array(depth: number): readonly Json[] {
    const items: Json[] = []
    this.#pos++
    if (this.#take(']')) return items
    do items.push(this.value(depth))
    while (this.#take(','))
    if (!this.#take(']')) this.#fail('expected "," or "]"')
    return items
  }

  #string(): string {
    const quoted = this.#match(STRING) ?? this.#fail('expected a string')
    try {
      return JSON.parse(quoted) as string
    } catch {
      return this.#fail('a wrong escape in a string') // The pattern lets \x pass; the parser is exact.
    }
  }

  #word<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#pos)) this.#fail('not a JSON value')
    this.#pos += word.length
    return value
  }

  #take(char: string): boolean {
    this.#match(SPACE)
    if (this.#text[this.#pos] !== char) return false
    this.#pos++
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#pos
    const found = pattern.exec(this.#text)?.[0]
    this.#pos += found?.length ?? 0
    return found
  }

  #fail(problem: string): never {
    throw new JsonSyntaxError(`${problem} at character ${this.#pos}`)
  }
}

/** Compact JSON, as Jackson writes it. */
export function printJson(json: Json): string {
  if (json instanceof JsonNumber) return printNumber(json)
  if (Array.isArray(json)) return `[${(json as readonly Json[]).map(printJson).join(',')}]`
  if (json instanceof Map) {
    const members = [...(json as JsonObject)].map(
      ([key, value]) => `${JSON.stringify(key)}:${printJson(value)}`,
    )
    return `{${members.join(',')}}`
  }
  return JSON.stringify(json)
}

/** Whole numbers as written, others as Java prints a double. */
function printNumber(json: JsonNumber): string {
  if (json.isInteger) return BigInt(json.text).toString()
  const value = Number(json.text)
  if (value === 0) return json.text.startsWith('-') ? '-0.0' : '0.0'
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value)
  if (!Number.isFinite(value))
    return value > 0 ? '1.7976931348623157E308' : '-1.7976931348623157E308'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}
