// JSON whose numbers keep their digits. JSON.parse rounds what does not fit a double; a row that holds such
// a number, and only such a row, is read and written by this.

/** A JSON number as it was written. */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const DEPTH_MAX = 200
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\]|\\.)*"/y

/** As JSON.parse, with every number as a `NumberText`. @throws SyntaxError */
export function parseExact(text: string): unknown {
  const reader = new Reader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): unknown {
    if (depth > DEPTH_MAX) throw new SyntaxError(`JSON is nested deeper than ${DEPTH_MAX} levels`)
    this.#match(SPACE)
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    for (const [word, value] of WORDS) if (this.#take(word)) return value
    const number = this.#match(NUMBER)
    if (number === undefined || number === '') throw this.#unexpected()
    return new NumberText(number)
  }

  end(): void {
    this.#match(SPACE)
    if (this.#at !== this.#text.length) throw this.#unexpected()
  }

  #object(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = []
    this.#at++
    if (this.#closes('}')) return {}
    do {
      this.#match(SPACE)
      const key = this.#string()
      this.#match(SPACE)
      if (!this.#take(':')) throw this.#unexpected()
      entries.push([key, this.value(depth + 1)])
    } while (this.#separates('}'))
    return Object.fromEntries(entries)
  }

  #array(depth: number): unknown[] {
    const values: unknown[] = []
    this.#at++
    if (this.#closes(']')) return values
    do values.push(this.value(depth + 1))
    while (this.#separates(']'))
    return values
  }

  #string(): string {
    const raw = this.#match(STRING)
    if (raw === undefined) throw this.#unexpected()
    return JSON.parse(raw) as string
  }

  #closes(end: string): boolean {
    this.#match(SPACE)
    return this.#take(end)
  }

  #separates(end: string): boolean {
    if (this.#closes(end)) return false
    if (!this.#take(',')) throw this.#unexpected()
    return true
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #unexpected(): SyntaxError {
    return new SyntaxError(`Unexpected text in JSON at position ${this.#at}`)
  }
}

const WORDS: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/** As JSON.stringify, with a `NumberText` written as its digits. */
export function stringifyExact(value: unknown): string {
  if (value instanceof NumberText) return value.text
  if (Array.isArray(value)) return `[${value.map(stringifyExact).join(',')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}:${stringifyExact(item)}`)
      .join(',')}}`
  return JSON.stringify(value ?? null)
}
