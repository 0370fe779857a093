import { ConfigError, toMessage } from '../api/errors.ts'

const POSIX: Readonly<Record<string, string>> = {
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\x00-\\x7F',
  Alpha: 'a-zA-Z',
  Digit: '0-9',
  Alnum: 'a-zA-Z0-9',
  Punct: '!-\\/:-@\\[-`{-~',
  Graph: '!-~',
  Print: ' -~',
  Blank: ' \\t',
  Cntrl: '\\x00-\\x1F\\x7F',
  XDigit: '0-9a-fA-F',
  Space: ' \\t\\n\\x0B\\f\\r',
}

/** Beginning and end of the text, whatever the flags. */
const BOUNDARIES: Readonly<Record<string, string>> = {
  '\\A': '(?<![\\s\\S])',
  '\\z': '(?![\\s\\S])',
  '\\Z': '(?=\\n?(?![\\s\\S]))',
}

/** What Java's patterns have and JavaScript's do not; each is refused by its name. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^\(\?>/, 'atomic groups (?>…)'],
  [/^\(\?[a-zA-Z]*-?[a-zA-Z]*:/, 'inline flags for a group (?i:…)'],
  [/^\(\?-?[a-zA-Z]+\)/, 'inline flags that are not at the beginning (?i)'],
  [/^(?:[*+?]|\{\d+,?\d*\})\+/, 'possessive quantifiers *+ ++ ?+'],
  [/^\\G/, '\\G'],
  [/^\\[hHRXNvV]/, 'the classes \\h \\H \\R \\X \\N \\v \\V'],
]

/**
 * A pattern of `java.util.regex` as a RegExp that must match the whole text. Understands `\Q…\E`, `\A`, POSIX classes `\p{Alpha}`
 * and leading flags `(?i)`, `(?s)`, `(?m)`.
 *
 * @throws ConfigError that names what this runtime does not have, or what is wrong with the pattern.
 */
export function compileJavaRegex(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern)
  const source = translate(flags === null ? pattern : pattern.slice(flags[0].length))
  const options = `u${[...new Set(flags?.[1])].join('')}`
  try {
    return new RegExp(`^(?:${source})$`, options)
  } catch (error) {
    throw new ConfigError(toMessage(error), { cause: error })
  }
}

function translate(pattern: string): string {
  let source = ''
  let classDepth = 0
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at)
    if (classDepth === 0) refuse(rest)
    const piece = rest.startsWith('\\') ? escape(rest, classDepth > 0) : undefined
    if (piece !== undefined) {
      source += piece.source
      at += piece.length
      continue
    }
    const char = rest.charAt(0)
    const isLiteral = classDepth === 0 && char === ']'
    if (char === '[') classDepth++
    else if (char === ']' && classDepth > 0) classDepth--
    if (classDepth > 1 || (classDepth === 1 && rest.startsWith('&&'))) {
      throw new ConfigError('This runtime has no nested or intersected character classes.')
    }
    source += isLiteral ? '\\]' : char
    at++
  }
  return source
}

function refuse(rest: string): void {
  if (/^\(\?(?::|=|!|<)/.test(rest)) return
  const found = REFUSED.find(([syntax]) => syntax.test(rest))
  if (found !== undefined) throw new ConfigError(`This runtime does not have ${found[1]}.`)
}

/** A backslash and what belongs to it. */
function escape(
  rest: string,
  isInClass: boolean,
): { readonly source: string; readonly length: number } {
  if (rest.startsWith('\\Q')) {
    const end = rest.indexOf('\\E')
    const literal = end < 0 ? rest.slice(2) : rest.slice(2, end)
    return { source: quote(literal), length: end < 0 ? rest.length : end + 2 }
  }
  const boundary = BOUNDARIES[rest.slice(0, 2)]
  if (boundary !== undefined && !isInClass) return { source: boundary, length: 2 }
  const posix = /^\\([pP])\{(?:Is)?(\w+)\}/.exec(rest)
  const ranges = POSIX[posix?.[2] ?? '']
  if (posix !== null && ranges !== undefined) {
    const isNegated = posix[1] === 'P'
    if (isInClass && isNegated) {
      throw new ConfigError(`This runtime does not have ${posix[0]} inside of a character class.`)
    }
    const source = isInClass ? ranges : `[${isNegated ? '^' : ''}${ranges}]`
    return { source, length: posix[0].length }
  }
  const char = rest.charAt(1)
  // Java lets any character that is no letter be escaped; a RegExp in Unicode mode only those that mean something.
  if (/[^A-Za-z0-9^$\\.*+?()[\]{}|/-]/.test(char)) return { source: char, length: 2 }
  if (char === '-' && !isInClass) return { source: '-', length: 2 }
  const whole = /^\\(?:[pP]\{\w+(?:=\w+)?\}|k<\w+>|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)?/s.exec(rest)
  const source = whole?.[0] ?? rest
  return { source, length: source.length }
}

const quote = (literal: string): string =>
  literal.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, (char) => (char === '-' ? '\\x2d' : `\\${char}`))

/**
 * The text that a match's replacement gives, as `Matcher.replaceFirst` reads it: `$1`, `${name}`, and a backslash before a
 * character that is meant itself. As many digits count as there are groups.
 *
 * @throws ConfigError for a reference to a group that there is not.
 */
export function expandReplacement(replacement: string, match: RegExpExecArray): string {
  let text = ''
  for (let at = 0; at < replacement.length; ) {
    const char = replacement.charAt(at)
    if (char === '\\') {
      if (at + 1 === replacement.length) throw new ConfigError('character to be escaped is missing')
      text += replacement.charAt(at + 1)
      at += 2
    } else if (char === '$') {
      const reference = groupReference(replacement.slice(at), match)
      text += reference.text
      at += reference.length
    } else {
      text += char
      at++
    }
  }
  return text
}

function groupReference(
  rest: string,
  match: RegExpExecArray,
): { readonly text: string; readonly length: number } {
  const named = /^\$\{([A-Za-z][A-Za-z0-9]*)\}/.exec(rest)
  if (named !== null) {
    const name = named[1] ?? ''
    if (match.groups === undefined || !(name in match.groups)) {
      throw new ConfigError(`No group with name {${name}}`)
    }
    return { text: match.groups[name] ?? '', length: named[0].length }
  }
  const digits = /^\$(\d+)/.exec(rest)?.[1]
  if (digits === undefined) throw new ConfigError('Illegal group reference: group index is missing')
  let length = 1
  if (Number(digits.charAt(0)) >= match.length)
    throw new ConfigError(`No group ${digits.charAt(0)}`)
  while (length < digits.length && Number(digits.slice(0, length + 1)) < match.length) length++
  return { text: match[Number(digits.slice(0, length))] ?? '', length: length + 1 }
}
