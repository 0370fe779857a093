import { toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { classNotFound, type Plugins } from './plugins.ts'
import { withoutPrefix } from './transformation-chain.ts'

/** Something wrong with a converter, and the key that it is about. */
export interface ConverterProblem {
  readonly key: string
  readonly message: string
}

const KINDS = {
  'key.converter': 'converter',
  'value.converter': 'converter',
  'header.converter': 'header_converter',
} as const

/** What is wrong with the converters that a worker or connector names, and with their settings. Asks no registry. */
export async function converterProblems(
  props: Props,
  plugins: Plugins,
): Promise<readonly ConverterProblem[]> {
  const problems: ConverterProblem[] = []
  for (const [property, kind] of Object.entries(KINDS)) {
    const name = props[property]?.trim()
    if (name === undefined) continue
    const descriptor = plugins.find(name, kind)
    if (descriptor === undefined) {
      problems.push({ key: property, message: classNotFound(property, name) })
      continue
    }
    try {
      const config = await plugins.configDef(descriptor)
      const type = property.slice(0, property.indexOf('.'))
      const own = { 'converter.type': type, ...withoutPrefix(props, `${property}.`) }
      const values = config?.validate(own) ?? []
      for (const { name: key, errors } of values) {
        const at = `${property}.${key}`
        // The first tells; that what cannot be read is missing then is no news.
        for (const error of errors.slice(0, 1)) {
          problems.push({ key: at, message: `${property}: ${error}` })
        }
      }
    } catch (error) {
      problems.push({ key: property, message: toMessage(error) })
    }
  }
  return problems
}
