import type { CompatibilityLevel, LevelIncompatibility } from './compatibility-level.ts'
import type { StoredVersion } from './store.ts'

/** The messages by which the registry explains what is wrong with a schema against an old version. */
export function describeIncompatibilities(
  problems: readonly LevelIncompatibility[],
  old: StoredVersion,
  level: CompatibilityLevel,
): readonly string[] {
  return [
    ...problems.map(
      (each) =>
        `{errorType:'${each.type}', description:'${describe(each)}', additionalInfo:'${each.message}'}`,
    ),
    `{oldSchemaVersion: ${old.version}}`,
    `{oldSchema: '${old.stored.schema}'}`,
    `{validateFields: 'false', compatibility: '${level}'}`,
  ]
}

// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
function describe({ type, location, message, reader }: LevelIncompatibility): string {
  const writer = reader === 'new' ? 'old' : 'new'
  switch (type) {
    case 'FIXED_SIZE_MISMATCH':
      return `The size of FIXED type field at path '${location}' in the ${reader} schema does not match with the ${writer} schema`
    case 'TYPE_MISMATCH':
      return `The type (path '${location}') of a field in the ${reader} schema does not match with the ${writer} schema`
    case 'NAME_MISMATCH':
      return `The name of the schema has changed (path '${location}')`
    case 'MISSING_ENUM_SYMBOLS':
      return `The ${reader} schema is missing enum symbols '${message}' at path '${location}' in the ${writer} schema`
    case 'MISSING_UNION_BRANCH':
      return `The ${reader} schema is missing a type inside a union field at path '${location}' in the ${writer} schema`
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return `The field '${message}' at path '${location}' in the ${reader} schema has no default value and is missing in the ${writer} schema`
  }
}
