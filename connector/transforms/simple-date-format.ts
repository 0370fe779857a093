// java.text.SimpleDateFormat in UTC and English, as Kafka Connect's transformations use it.
import { ConfigError, DataError } from '../api/errors.ts'
import { type DateParts, FORMATTERS, isoDateOf, isNumericLetter, PARSERS } from './date-letters.ts'

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'letters'; readonly letter: string; readonly count: number }

/** A pattern of `SimpleDateFormat`. @throws ConfigError that names a letter that cannot be used. */
export class SimpleDateFormat {
  readonly pattern: string
  readonly #pieces: readonly Piece[]
  readonly #nowMs: number

  /** `nowMs`: two-digit years are within 80 years before and 20 years after it. */
  constructor(pattern: string, nowMs = 0) {
    this.pattern = pattern
    this.#pieces = piecesOf(pattern)
    this.#nowMs = nowMs
  }

  format(date: Date): string {
    return this.#pieces
      .map((piece) =>
        piece.kind === 'text' ? piece.text : FORMATTERS[piece.letter]?.(date, piece.count),
      )
      .join('')
  }

  /** Letters of the pattern that can be written and not read. */
  get unreadable(): readonly string[] {
    return this.#pieces.flatMap((piece) =>
      piece.kind === 'letters' && PARSERS[piece.letter] === undefined ? [piece.letter] : [],
    )
  }

  /**
   * Leniently, as Java does: the 31st of April is the 1st of May, and what follows the pattern is ignored.
   *
   * @throws DataError when the text does not match.
   */
  parse(text: string): Date {
    const parts: DateParts = {}
    let at = 0
    for (const [index, piece] of this.#pieces.entries()) {
      if (piece.kind === 'text') {
        if (!text.startsWith(piece.text, at)) throw this.#mismatch(text)
        at += piece.text.length
        continue
      }
      const parser = PARSERS[piece.letter]
      const length = parser?.({
        text: text.slice(at),
        count: piece.count,
        isAbutting: this.#isAbutting(index),
        nowMs: this.#nowMs,
        parts,
      })
      if (length === undefined) throw this.#mismatch(text)
      at += length
    }
    return isoDateOf(parts)
  }

  /** Whether a number follows at once, so that this one has exactly as many digits as letters. */
  #isAbutting(index: number): boolean {
    const next = this.#pieces[index + 1]
    return next?.kind === 'letters' && isNumericLetter(next.letter, next.count)
  }

  #mismatch(text: string): DataError {
    return new DataError(
      `Could not parse timestamp: value (${text}) does not match pattern (${this.pattern})`,
    )
  }
}

function piecesOf(pattern: string): readonly Piece[] {
  const pieces: Piece[] = []
  const addText = (text: string): void => {
    const last = pieces.at(-1)
    if (last?.kind === 'text') pieces[pieces.length - 1] = { kind: 'text', text: last.text + text }
    else pieces.push({ kind: 'text', text })
  }
  for (let at = 0; at < pattern.length; ) {
    const quoted = /^'((?:[^']|'')*)'/.exec(pattern.slice(at))
    const letters = /^([A-Za-z])\1*/.exec(pattern.slice(at))
    if (quoted !== null) {
      addText(quoted[1] === '' ? "'" : (quoted[1] ?? '').replaceAll("''", "'"))
      at += quoted[0].length
    } else if (letters !== null) {
      const letter = letters[0].charAt(0)
      if (FORMATTERS[letter] === undefined) {
        throw new ConfigError(`Illegal pattern character '${letter}'`)
      }
      if (letter === 'X' && letters[0].length > 3) {
        throw new ConfigError(`invalid ISO 8601 format: length=${letters[0].length}`)
      }
      pieces.push({ kind: 'letters', letter, count: letters[0].length })
      at += letters[0].length
    } else {
      if (pattern.charAt(at) === "'") throw new ConfigError('Unterminated quote')
      addText(pattern.charAt(at))
      at++
    }
  }
  return pieces
}
