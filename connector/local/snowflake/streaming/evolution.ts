// Tables with ENABLE_SCHEMA_EVOLUTION: rows that need new columns, or nulls where there must be none, change the table
// before they are written.
import { toMessage } from '../../../api/errors.ts'
import type { PluginLogger } from '../../../api/plugin-metrics.ts'
import type { IcebergTable } from '../../iceberg/types.ts'
import { tableName } from '../identifiers.ts'
import { RowChecker } from '../rows/row-checker.ts'
import { SchemaWishes } from '../rows/schema-wishes.ts'
import { type ChannelWork, type CheckedWork, checkWork } from './commit-plan.ts'

const PROPERTY = 'snowflake.enable_schema_evolution'

export const evolves = (table: IcebergTable): boolean =>
  table.properties[PROPERTY]?.toUpperCase() === 'TRUE'

/** Checks the rows, after the table was changed as they need it. What cannot be changed makes row errors. */
export async function checkEvolving(
  table: IcebergTable,
  work: readonly ChannelWork[],
  log: PluginLogger,
): Promise<readonly CheckedWork[]> {
  const wishes = new SchemaWishes()
  const checked = await checkWork(work, new RowChecker(table.schema, wishes))
  const changes = wishes.changes()
  if (changes.length === 0) return checked
  const fields = { table: tableName(table.identifier), changes: changes.length }
  try {
    await table.updateSchema(changes)
  } catch (error) {
    log.warn({ ...fields, error: toMessage(error) }, 'Rows could not change the table.')
    return checked
  }
  log.info(fields, 'Rows changed the table.')
  // Nulls of keys without a column are still no errors.
  return checkWork(work, new RowChecker(table.schema, new SchemaWishes()))
}
