import type { ConfigDef } from './config-def.ts'
import type { ConnectRecord } from './records.ts'
import type { Props } from './task-context.ts'

export interface Transformation<R extends ConnectRecord = ConnectRecord> {
  configure(config: Props): void
  /** Another record, the same one, or null to drop it. */
  apply(record: R): R | null
  config(): ConfigDef
  close?(): void
}

export interface Predicate<R extends ConnectRecord = ConnectRecord> {
  configure(config: Props): void
  test(record: R): boolean
  config(): ConfigDef
  close?(): void
}
