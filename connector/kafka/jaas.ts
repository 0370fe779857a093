// sasl.jaas.config, in Java's JAAS syntax: `<login module> <flag> name="value" …;`

export interface LoginModule {
  /** The class name without its package, e.g. `PlainLoginModule`. */
  readonly module: string
  readonly options: ReadonlyMap<string, string>
}

const FLAGS = new Set(['required', 'requisite', 'sufficient', 'optional'])
const TOKEN = /\s*(?:([\w.$-]+)|(=)|(;)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/y
const LENGTH_MAX = 64 * 1024

/**
 * Reads one login module. Undefined when the text is anything else. No part of it may be shown: it holds
 * secrets.
 */
export function parseJaas(text: string): LoginModule | undefined {
  const tokens = tokenize(text)
  const [module, flag] = tokens ?? []
  if (tokens === undefined || tokens.at(-1)?.kind !== ';') return undefined
  if (module?.kind !== 'word' || flag?.kind !== 'word') return undefined
  if (!FLAGS.has(flag.text.toLowerCase())) return undefined
  const options = new Map<string, string>()
  const rest = tokens.slice(2, -1)
  for (let i = 0; i < rest.length; i += 3) {
    const [name, equals, value] = rest.slice(i, i + 3)
    if (name?.kind !== 'word' || equals?.kind !== '=') return undefined
    if (value?.kind !== 'word' && value?.kind !== 'string') return undefined
    options.set(name.text, value.text)
  }
  return { module: module.text.slice(module.text.lastIndexOf('.') + 1), options }
}

interface Token {
  readonly kind: 'word' | 'string' | '=' | ';'
  readonly text: string
}

function tokenize(text: string): readonly Token[] | undefined {
  const trimmed = text.trim()
  if (trimmed.length > LENGTH_MAX) return undefined
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < trimmed.length) {
    const match = TOKEN.exec(trimmed)
    if (match === null) return undefined
    const [, word, equals, end, double, single] = match
    if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (equals !== undefined) tokens.push({ kind: '=', text: equals })
    else if (end !== undefined) tokens.push({ kind: ';', text: end })
    else tokens.push({ kind: 'string', text: unescape(double ?? single ?? '') })
  }
  return tokens
}

const unescape = (text: string): string => text.replaceAll(/\\(.)/gs, '$1')
