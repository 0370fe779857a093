// Java's .properties syntax, as java.util.Properties.load reads it.

const WHITESPACE = /[ \t\f]/
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/** Reads properties; of two with one key the last wins. Throws a `SyntaxError` for a bad `\uXXXX`, as Java does. */
export function parseProperties(text: string): Record<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const [key, value] = splitLine(line)
    properties.set(unescape(key), unescape(value))
  }
  return Object.fromEntries(properties)
}

/** Lines without blanks and comments, continuations joined and leading white space removed. */
function* logicalLines(text: string): Generator<string> {
  let pending: string | undefined
  let isCommentLast = false
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    // As long as a continued line is empty, blanks and comments are left out as at its beginning.
    if ((pending ?? '') === '' && (line === '' || line.startsWith('#') || line.startsWith('!'))) {
      if (line !== '') isCommentLast = true
      continue
    }
    isCommentLast = false
    const joined: string = (pending ?? '') + line
    if (endsInContinuation(joined)) {
      pending = joined.slice(0, -1)
      continue
    }
    pending = undefined
    yield joined
  }
  // A backslash alone at the very end is a line, as java.util.Properties has it: an empty key.
  const isAlone = !isCommentLast && /\\[\r\n]?$/.test(text)
  if (pending !== undefined && (pending !== '' || isAlone)) yield pending
}

const endsInContinuation = (line: string): boolean => (/\\+$/.exec(line)?.[0].length ?? 0) % 2 === 1

function splitLine(line: string): [string, string] {
  let end = 0
  while (end < line.length) {
    const char = line.charAt(end)
    if (char === '\\') end++
    else if (char === '=' || char === ':' || WHITESPACE.test(char)) break
    end++
  }
  const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return [line.slice(0, end), rest]
}

function unescape(text: string): string {
  if (!text.includes('\\')) return text
  let result = ''
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i)
    if (char !== '\\') {
      result += char
      continue
    }
    const next = text.charAt(++i)
    if (next === 'u') {
      const hex = text.slice(i + 1, i + 5)
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) {
        throw new SyntaxError(`Malformed \\uxxxx encoding: expected four hex digits, got '${hex}'.`)
      }
      result += String.fromCharCode(Number.parseInt(hex, 16))
      i += 4
    } else {
      result += ESCAPES[next] ?? next
    }
  }
  return result
}
