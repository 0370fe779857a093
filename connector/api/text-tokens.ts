const DELIMITERS = ':,{}[]"'

/** Cuts a text at `: , { } [ ] "` that have no backslash before them, as Kafka Connect's `Values` does. */
export class TextTokens {
  readonly text: string
  #position = 0
  #peeked: string | undefined

  constructor(text: string) {
    this.text = text
  }

  hasNext(): boolean {
    return this.#peeked !== undefined || this.#position < this.text.length
  }

  /** Where the next token begins, for `rewind`. */
  mark(): number {
    return this.#position - (this.#peeked?.length ?? 0)
  }

  rewind(position: number): void {
    this.#position = position
    this.#peeked = undefined
  }

  next(): string {
    const token = this.#peeked ?? this.#cut()
    this.#peeked = undefined
    return token
  }

  /** The next `count` tokens as one text; undefined, and nothing consumed, when there are fewer. */
  take(count: number): string | undefined {
    const start = this.mark()
    for (let i = 0; i < count; i++) {
      if (!this.hasNext()) {
        this.rewind(start)
        return undefined
      }
      this.next()
    }
    return this.text.slice(start, this.#position)
  }

  /** Consumes the next token, and blanks before it, if it is this one. */
  consume(expected: string): boolean {
    if (this.#peeked === undefined) {
      if (!this.hasNext()) return false
      this.#peeked = this.#cut()
    }
    while (this.#peeked.trim() === '' && this.#position < this.text.length) {
      this.#peeked = this.#cut()
    }
    if (this.#peeked.trim() !== expected) return false
    this.#peeked = undefined
    return true
  }

  #cut(): string {
    const start = this.#position
    let isEscaped = false
    for (; this.#position < this.text.length; this.#position++) {
      const char = this.text.charAt(this.#position)
      if (!isEscaped && DELIMITERS.includes(char)) {
        if (start === this.#position) this.#position++
        break
      }
      isEscaped = char === '\\' && !isEscaped
    }
    return this.text.slice(start, this.#position)
  }
}
