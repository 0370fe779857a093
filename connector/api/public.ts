/**
 * `mta-connect/api`: all that a plugin may use. A plugin is a module that exports `plugins` (see `PluginDefinition`), found
 * through the worker's `plugin.path`. Whatever the plugin's own `node_modules` hold, the worker hands it this very module, so
 * that `instanceof` means the same on both sides.
 *
 * - A source: extend `SourceConnector` (cuts the work into tasks) and `SourceTask` (`poll` gives records).
 * - A sink: extend `SinkConnector` and `SinkTask` (`put` takes records, `preCommit` says what is durable).
 * - A converter: implement `Converter` or `HeaderConverter`. A transformation or predicate: `Transformation`, `Predicate`;
 *   make records with `newRecord`. A config provider: `ConfigProvider`. More REST paths: `RestExtension`.
 * - Say with a `ConfigDef` what can be configured: it parses, validates over REST and documents at once.
 * - Throw a `RetriableError` for what may work later, a `DataError` for a record that never will, a `ConfigError` for a setting.
 * - Time, chance, logs and metrics come from the context (`context.clock`, `.random`, `.log`, `.metrics`). Callbacks may be sync or
 *   async; long waits take the `AbortSignal` that they are given.
 */
export type { Clock, Random } from './clock.ts'
export {
  boolean,
  classNameKey,
  ConfigDef,
  type ConfigKey,
  type ConfigKeyInfo,
  type ConfigKeys,
  type ConfigOf,
  type ConfigType,
  type ConfigValue,
  double,
  type Importance,
  int,
  list,
  long,
  nonEmpty,
  oneOf,
  password,
  type Recommender,
  short,
  string,
  type Width,
} from './config-def.ts'
export type { ConfigData, ConfigProvider } from './config-provider.ts'
export {
  type ConnectorContext,
  SinkConnector,
  SourceConnector,
  type SourceConnectorContext,
} from './connector.ts'
export type { ConvertedData, Converter, HeaderConverter } from './converter.ts'
export type { EncodedAvro } from './encoded-avro.ts'
export {
  AlreadyExistsError,
  ConfigError,
  ConnectError,
  DataError,
  IllegalWorkerStateError,
  NotFoundError,
  RetriableError,
  toMessage,
  toTrace,
} from './errors.ts'
export { isSinkRecord, newRecord, type RecordChanges } from './new-record.ts'
export { parseString } from './parse-value.ts'
export { Password } from './password.ts'
export type { PluginDefinition, PluginEnvironment, PluginKind, PluginKinds } from './plugin.ts'
export type {
  PluginCounter,
  PluginGauge,
  PluginHistogram,
  PluginLogger,
  PluginMetrics,
} from './plugin-metrics.ts'
export type {
  ConnectRecord,
  Header,
  RecordMetadata,
  SinkRecord,
  SourceOffset,
  SourcePartition,
  SourceRecord,
  TimestampType,
} from './records.ts'
export type {
  ConnectorStatus,
  RestExtension,
  RestExtensionContext,
  TaskStatus,
} from './rest-extension.ts'
export {
  type DecimalValue,
  type Field,
  fields,
  LOGICAL_DATE,
  LOGICAL_DECIMAL,
  LOGICAL_TIME,
  LOGICAL_TIMESTAMP,
  NULL_VALUE,
  type Schema,
  type SchemaAndValue,
  type SchemaType,
} from './schema.ts'
export {
  type ErrantRecordReporter,
  type LogBounds,
  SinkTask,
  type SinkTaskContext,
} from './sink-task.ts'
export { type OffsetStorageReader, SourceTask, type SourceTaskContext } from './source-task.ts'
export type { Awaitable, Props, TaskContext, TaskHealth } from './task-context.ts'
export {
  type TopicDescription,
  type TopicPartition,
  topicPartitionKey,
  type TopicPartitionOffset,
} from './topic-partition.ts'
export type { Predicate, Transformation } from './transformation.ts'
export { convertToString } from './values.ts'
