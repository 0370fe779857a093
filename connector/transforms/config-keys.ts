// Configuration keys and checks that several transformations have.
import { boolean, list, string } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import { compileJavaRegex } from './java-regex.ts'

export const REPLACE_NULL_WITH_DEFAULT = {
  'replace.null.with.default': boolean({
    doc: 'Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.',
    importance: 'MEDIUM',
    default: true,
  }),
}

/** A list that must be given and must not be empty. */
export const requiredList = (doc: string) =>
  list({
    doc,
    importance: 'HIGH',
    check: (value, name) => {
      if (value.length > 0) return undefined
      throw new ConfigError(
        `Configuration '${name}' must not be empty. Valid values include: any non-empty value`,
      )
    },
  })

/** A text that must be given. */
export const requiredText = (doc: string, importance: 'HIGH' | 'MEDIUM') =>
  string({ doc, importance })

/** A text that may be left out. */
export const optionalText = (doc: string, importance: 'HIGH' | 'MEDIUM' | 'LOW') =>
  string<string | undefined>({ doc, importance, default: undefined })

export const checkNonEmpty = (value: string | undefined): string | undefined =>
  value === '' ? 'String must be non-empty' : undefined

/** Wrong when Java's pattern cannot be used here. */
export function checkRegex(value: string): string | undefined {
  try {
    compileJavaRegex(value)
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return `Invalid regex: ${error.message}`
  }
}
