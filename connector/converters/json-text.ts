// JSON whose integers keep all their digits: beyond 2^53 they are `bigint`.

const RAW = '\u0000number:'
// oxlint-disable-next-line no-control-regex -- a text that no JSON number and hardly any string begins with
const MARKED = /^\u0000number:-?\d+$/

/** Reads JSON; integers that a `number` cannot hold exactly become `bigint`. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as unknown
  // Long integers outside of strings are marked, so that the reviver sees their digits.
  const marked = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token))
      ? JSON.stringify(RAW + token)
      : token,
  )
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && MARKED.test(value) ? BigInt(value.slice(RAW.length)) : value,
  ) as unknown
}

/** Writes JSON; `bigint` in digits, and `RawNumber` as it is. */
export function stringifyJson(value: unknown): string {
  const json = JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return RAW + item.toString()
    return item instanceof RawNumber ? RAW + item.digits : item
  })
  return json.includes('number:')
    ? json.replaceAll(/"\\u0000number:(-?\d[\d.]*)"/g, (_match, digits: string) => digits)
    : json
}

/** A number that is written with exactly these digits. */
export class RawNumber {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }
}
