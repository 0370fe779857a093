import { string } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { Field, Schema } from '../api/schema.ts'
import {
  fieldNamed,
  fieldValue,
  requireMapOrNull,
  requireStructOrNull,
  type Struct,
} from './field-values.ts'

/** KIP-821's key. */
export const FIELD_SYNTAX_VERSION = {
  'field.syntax.version': string({
    doc: 'Defines the version of the syntax to access fields. If set to <code>V1</code>, then the field paths are limited to access the elements at the root level of the struct or map. If set to <code>V2</code>, the syntax will support accessing nested elements. To access nested elements, dotted notation is used. If dots are already included in the field name, then backtick pairs can be used to wrap field names containing dots. E.g. to access the subfield <code>baz</code> from a field named "foo.bar" in a struct/map the following format can be used to access its elements: "<code>foo.bar</code>.baz".',
    importance: 'HIGH',
    default: 'V1',
    check: (value) =>
      ['V1', 'V2'].includes(value.toUpperCase())
        ? undefined
        : 'String must be one of (case insensitive): V1, V2',
  }),
}

const NESTED = 'nested field access'

/** Names one field: at the root (V1), or nested, `a.b` and `` `a.b`.c `` (V2). @throws ConfigError for an unpaired backtick. */
export class FieldPath {
  readonly #parents: readonly string[]
  readonly #last: string

  constructor(path: string, version: string) {
    const steps = version.toUpperCase() === 'V2' ? stepsOf(path) : [path]
    this.#parents = steps.slice(0, -1)
    this.#last = steps.at(-1) ?? ''
  }

  fieldOf(schema: Schema): Field | undefined {
    let current: Schema | undefined = schema
    for (const step of this.#parents) current = current && fieldNamed(current, step)?.schema
    return current && fieldNamed(current, this.#last)
  }

  /** Null where a step is null or missing. */
  valueIn(schema: Schema, struct: Struct, isDefaultUsed: boolean): unknown {
    let current = { schema, struct }
    for (const step of this.#parents) {
      const field = fieldNamed(current.schema, step)
      if (field === undefined) return null
      const nested = requireStructOrNull(
        field.schema,
        fieldValue(current.struct, field, true),
        NESTED,
      )
      if (nested === null) return null
      current = { schema: field.schema, struct: nested }
    }
    const field = fieldNamed(current.schema, this.#last)
    return field === undefined ? null : fieldValue(current.struct, field, isDefaultUsed)
  }

  valueOfMap(map: ReadonlyMap<string, unknown>): unknown {
    let current = map
    for (const step of this.#parents) {
      const nested = requireMapOrNull(current.get(step), NESTED)
      if (nested === null) return null
      current = nested
    }
    return current.get(this.#last) ?? null
  }
}

function stepsOf(path: string): readonly string[] {
  const steps: string[] = []
  let at = 0
  while (at < path.length) {
    const step = path.charAt(at) === '`' ? backtickStep(path, at) : plainStep(path, at)
    steps.push(step.name)
    at = step.end
  }
  if (path.endsWith('.') || path === '') steps.push('')
  return steps
}

interface Step {
  readonly name: string
  /** Where the next one begins. */
  readonly end: number
}

function plainStep(path: string, start: number): Step {
  const dot = path.indexOf('.', start)
  return dot < 0
    ? { name: path.slice(start), end: path.length }
    : { name: path.slice(start, dot), end: dot + 1 }
}

/** A backtick ends the step when a dot or the end follows it, unless a backslash is before it. */
function backtickStep(path: string, opening: number): Step {
  let name = ''
  let start = opening + 1
  for (let at = start; ; at++) {
    at = path.indexOf('`', at)
    const isLast = at === path.length - 1
    const isEscaped = at > 0 && path.charAt(at - 1) === '\\'
    if (at < 0 || (isLast && isEscaped)) {
      throw new ConfigError(
        `Incomplete backtick pair in path: [${path}], consider adding a backslash before backtick at position ${opening} to escape it`,
      )
    }
    if (!isLast && path.charAt(at + 1) !== '.') continue
    if (!isEscaped) return { name: name + path.slice(start, at), end: at + 2 }
    name += `${path.slice(start, at - 1)}\``
    start = at + 1
  }
}
