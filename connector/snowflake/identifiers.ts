const REGULAR = /^[A-Z_][A-Z0-9_$]*$/

/**
 * The name that Snowflake stores for an identifier written in a configuration: upper-cased, or exactly what is
 * between double quotes.
 */
export function storedName(text: string): string {
  const trimmed = text.trim()
  return /^".*"$/s.test(trimmed)
    ? trimmed.slice(1, -1).replaceAll('""', '"')
    : trimmed.toUpperCase()
}

/** A stored name as SQL text: always quoted, so that no name can be read as anything else. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** `"DB"."SCHEMA"."TABLE"`. */
export const qualified = (...names: readonly string[]): string => names.map(quoted).join('.')

/**
 * A stored name as a segment of a REST path. The service folds unquoted names to upper case, so a name with
 * lower-case letters is sent in quotes.
 */
export const pathSegment = (name: string): string =>
  encodeURIComponent(name === name.toUpperCase() ? name : quoted(name))

/** A key of a structured OBJECT as SQL text: bare where Snowflake takes it so, else quoted. */
export const fieldName = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quoted(name)

/** A table name for a topic that no mapping names: upper-cased, with `_` for what an identifier may not hold. */
export function tableOfTopic(topic: string): string {
  const name = topic.toUpperCase().replaceAll(/[^A-Z0-9_$]/g, '_')
  return REGULAR.test(name) ? name : `_${name}`
}

/** The pipe that Snowflake makes by itself for a table's streaming ingest. */
export const defaultPipe = (table: string): string => `${table}-STREAMING`
