// Connect schemas as JsonConverter writes them into its envelope.
import { DataError } from '../api/errors.ts'
import { fields, type Schema, type SchemaType } from '../api/schema.ts'
import { valueFromJson, valueToJson } from './json-value.ts'

const NAMES: Readonly<Record<SchemaType, string>> = {
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT32: 'float',
  FLOAT64: 'double',
  BOOLEAN: 'boolean',
  STRING: 'string',
  BYTES: 'bytes',
  ARRAY: 'array',
  MAP: 'map',
  STRUCT: 'struct',
}
const TYPES = new Map(Object.entries(NAMES).map(([type, name]) => [name, type as SchemaType]))
const DEFAULT_OPTIONS = { decimals: 'BASE64', replaceNullWithDefault: false } as const

/** A schema's JSON form, e.g. `{"type":"int32","optional":false}`. */
export function schemaToJson(schema: Schema): Record<string, unknown> {
  const json: Record<string, unknown> = { type: NAMES[schema.type] }
  if (schema.valueSchema !== undefined) {
    if (schema.type === 'ARRAY') json['items'] = schemaToJson(schema.valueSchema)
    else json['values'] = schemaToJson(schema.valueSchema)
  }
  if (schema.keySchema !== undefined) json['keys'] = schemaToJson(schema.keySchema)
  if (schema.fields !== undefined) {
    json['fields'] = schema.fields.map((field) => ({
      ...schemaToJson(field.schema),
      field: field.name,
    }))
  }
  json['optional'] = schema.optional
  if (schema.name !== undefined) json['name'] = schema.name
  if (schema.version !== undefined) json['version'] = schema.version
  if (schema.doc !== undefined) json['doc'] = schema.doc
  if (schema.parameters !== undefined) json['parameters'] = schema.parameters
  if (schema.defaultValue !== undefined && schema.defaultValue !== null) {
    json['default'] = valueToJson(schema, schema.defaultValue, DEFAULT_OPTIONS)
  }
  return json
}

/** The schema of a JSON form. @throws DataError. */
export function schemaFromJson(json: unknown): Schema {
  if (typeof json !== 'object' || json === null) {
    throw new DataError("Schema must contain 'type' field")
  }
  const node = json as Record<string, unknown>
  const type = TYPES.get(String(node['type']))
  if (type === undefined) throw new DataError(`Unknown schema type: ${String(node['type'])}`)
  const schema: Schema = {
    type,
    optional: node['optional'] === true,
    ...(typeof node['name'] === 'string' && { name: node['name'] }),
    ...(typeof node['version'] === 'number' && { version: node['version'] }),
    ...(typeof node['doc'] === 'string' && { doc: node['doc'] }),
    ...(isTexts(node['parameters']) && { parameters: node['parameters'] }),
    ...children(type, node),
  }
  if (node['default'] === undefined || node['default'] === null) return schema
  return { ...schema, defaultValue: valueFromJson(schema, node['default']) }
}

function children(type: SchemaType, node: Record<string, unknown>): Partial<Schema> {
  if (type === 'ARRAY') return { valueSchema: schemaFromJson(node['items']) }
  if (type === 'MAP') {
    return { keySchema: schemaFromJson(node['keys']), valueSchema: schemaFromJson(node['values']) }
  }
  if (type !== 'STRUCT') return {}
  const list = node['fields']
  if (!Array.isArray(list))
    throw new DataError('Struct schema\'s "fields" argument is not an array.')
  return {
    fields: fields(
      list.map((field: Record<string, unknown>) => {
        const name = field['field']
        if (typeof name !== 'string') {
          throw new DataError("Struct schema's field name not specified properly")
        }
        return [name, schemaFromJson(field)] as const
      }),
    ),
  }
}

const isTexts = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
