import type { ConfigDef } from './config-def.ts'
import type { ConnectRecord } from './records.ts'
import type { Props } from './task-context.ts'

/**
 * Changes or drops one record at a time (an SMT), between converter and sink task or between source task and converter.
 * Named in `transforms.<alias>.type`; each task has an instance of its own, and calls it for one record after the other, without
 * waiting: `apply` is synchronous.
 *
 * @throws from `configure`: ConfigError. From `apply`: DataError for a record that cannot be changed, RetriableError for one that can
 * later; `errors.tolerance` and the dead-letter queue decide what becomes of the record.
 */
export interface Transformation<R extends ConnectRecord = ConnectRecord> {
  /** Called once, before `apply`. The keys below `transforms.<alias>.`, without that prefix. */
  configure(config: Props): void
  /** Another record (made by `newRecord`), the same one, or null to drop it. The record given stays as it is. */
  apply(record: R): R | null
  /** What it can be configured with, for validation and `GET /connector-plugins/{class}/config`. Asked without `configure`. */
  config(): ConfigDef
  /** Called once, when the task ends. */
  close?(): void
}

/** Says which records a transformation applies to. Named in `predicates.<alias>.type`, and used by `transforms.<alias>.predicate`. */
export interface Predicate<R extends ConnectRecord = ConnectRecord> {
  /** Called once, before `test`. The keys below `predicates.<alias>.`, without that prefix. */
  configure(config: Props): void
  /** True: the transformation applies, unless it has `negate=true`. */
  test(record: R): boolean
  config(): ConfigDef
  close?(): void
}
