import type { Clock, Random } from '../api/clock.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { LogBounds } from '../api/sink-task.ts'
import type { TopicDescription, TopicPartition } from '../api/topic-partition.ts'
import type { PipeName, SnowpipeClient } from './client.ts'
import type { Compressor } from './compression.ts'
import type { FindRejected } from './error-table.ts'
import type { SinkMetrics } from './metrics.ts'
import type { BadRecordHandler, BufferLimits } from './record-buffer.ts'
import type { TableAccess } from './table-access.ts'

export interface ChannelSettings extends BufferLimits {
  readonly requestBytesMax: number
  readonly bufferBytesMax: number
  readonly requestsPerSecond: number
  readonly bytesPerSecond: number
  readonly backoffMaxMs: number
  readonly stallMs: number
  readonly uncommittedTimeoutMs: number
  readonly missingTimeoutMs: number
  readonly reopenMax: number
  readonly recreated: 'fail' | 'reset'
  readonly tolerance: 'none' | 'all'
}

export interface ChannelOptions {
  readonly tp: TopicPartition
  readonly name: string
  readonly pipe: PipeName
  readonly settings: ChannelSettings
  readonly client: SnowpipeClient
  readonly table: TableAccess
  readonly kafka: {
    describeTopic(topic: string, signal: AbortSignal): Promise<TopicDescription>
    logBounds(tp: TopicPartition, signal: AbortSignal): Promise<LogBounds>
    /** The group's position; undefined: none, or not known. */
    committedOffset(tp: TopicPartition, signal: AbortSignal): Promise<number | undefined>
  }
  readonly clock: Clock
  readonly random: Random
  readonly requestId: () => string
  readonly compressor: Compressor
  readonly log: PluginLogger
  readonly metrics: SinkMetrics
  readonly onBadRecord: BadRecordHandler
  /** Looks up what Snowflake rejected; undefined: there is no way to. */
  readonly findRejected: FindRejected | undefined
  /** Whether `onBadRecord` reports anywhere. */
  readonly canReport: () => boolean
  readonly signal: AbortSignal
}
