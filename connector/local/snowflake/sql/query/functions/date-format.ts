// Snowflake's date and time formats as the query engine's.
import { unsupported } from '../../../errors.ts'

const ELEMENTS: readonly (readonly [string, string])[] = [
  ['YYYY', '%Y'],
  ['YY', '%y'],
  ['MMMM', '%B'],
  ['MON', '%b'],
  ['MM', '%m'],
  ['DD', '%d'],
  ['DY', '%a'],
  ['HH24', '%H'],
  ['HH12', '%I'],
  ['AM', '%p'],
  ['PM', '%p'],
  ['MI', '%M'],
  ['SS', '%S'],
  ['FF3', '%g'],
  ['FF6', '%f'],
  ['FF9', '%n'],
]
/** Characters that stand for themselves. */
const LITERAL = /^[-/:., ;_()T]/

/** `YYYY-MM-DD HH24:MI:SS.FF3` → `%Y-%m-%d %H:%M:%S.%g`. @throws SqlError 000002 for an element that is not supported. */
export function engineFormat(format: string): string {
  let rest = format
  let result = ''
  while (rest !== '') {
    const upper = rest.toUpperCase()
    const element = ELEMENTS.find(([name]) => upper.startsWith(name))
    if (element !== undefined) {
      result += element[1]
      rest = rest.slice(element[0].length)
      continue
    }
    const quoted = /^"([^"]*)"/.exec(rest)
    if (quoted !== null) {
      result += (quoted[1] ?? '').replaceAll('%', '%%')
      rest = rest.slice(quoted[0].length)
    } else if (LITERAL.test(rest)) {
      result += rest.slice(0, 1)
      rest = rest.slice(1)
    } else throw unsupported(`the date format '${format}' at '${rest}'`)
  }
  return result
}
