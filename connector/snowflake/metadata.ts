// The RECORD_METADATA column: the official connector's structured OBJECT for Iceberg v2, and the topic's id, by which
// a recreated topic's records are told from those of the topic before it.
import type { Header, SinkRecord } from '../api/records.ts'
import type { ColumnType } from './column-type.ts'
import { INT, LONG } from './column-type.ts'
import { jsonTextOf } from './connect-json.ts'
import { Constant, type Tape } from './tape.ts'

export const METADATA_COLUMN = 'RECORD_METADATA'

/** Never changes: existing tables are checked against it. */
export const METADATA_TYPE: ColumnType = {
  kind: 'object',
  fields: [
    { name: 'offset', type: LONG },
    { name: 'topic', type: { kind: 'string' } },
    { name: 'partition', type: INT },
    { name: 'key', type: { kind: 'string' } },
    { name: 'CreateTime', type: LONG },
    { name: 'LogAppendTime', type: LONG },
    { name: 'SnowflakeConnectorPushTime', type: LONG },
    { name: 'headers', type: { kind: 'map', value: { kind: 'string' } } },
    { name: 'topicId', type: { kind: 'string' } },
  ],
}

/** Writes the column of one partition's records; every declared field is written, as a structured OBJECT wants it. */
export class MetadataWriter {
  readonly #topic: Constant
  readonly #end: string
  #pushTimeMs = Number.NaN
  /** From the push time on, of a record without headers: the same for all that are written at one time. */
  #rest = new Constant('')

  constructor(topic: string, partition: number, topicId: string | undefined) {
    this.#topic = new Constant(`,"topic":${JSON.stringify(topic)},"partition":${partition},"key":`)
    this.#end = `,"topicId":${topicId === undefined ? 'null' : JSON.stringify(topicId)}}`
  }

  /** Writes `"RECORD_METADATA":{…}`. */
  write(record: SinkRecord, pushTimeMs: number, tape: Tape): void {
    tape.constant(START)
    tape.integer(record.originalKafkaOffset)
    tape.constant(this.#topic)
    writeKey(record, tape)
    writeTime(record, tape)
    const { headers } = record
    if (headers.length === 0) {
      if (pushTimeMs !== this.#pushTimeMs) {
        this.#pushTimeMs = pushTimeMs
        this.#rest = new Constant(`${pushTimeMs},"headers":null${this.#end}`)
      }
      tape.constant(this.#rest)
      return
    }
    tape.integer(pushTimeMs)
    tape.ascii(',"headers":')
    writeHeaders(headers, tape)
    tape.text(this.#end)
  }
}

const START = new Constant(`"${METADATA_COLUMN}":{"offset":`)
const CREATE_TIME = new Constant(',"CreateTime":')
const APPEND_TIME = new Constant(',"CreateTime":null,"LogAppendTime":')
const NO_APPEND_TIME = new Constant(',"LogAppendTime":null,"SnowflakeConnectorPushTime":')
const PUSH_TIME = new Constant(',"SnowflakeConnectorPushTime":')
const NO_TIME = new Constant(
  ',"CreateTime":null,"LogAppendTime":null,"SnowflakeConnectorPushTime":',
)

/** Writes both times, of which a record has one at most, and the name of the next field. */
function writeTime({ timestamp, timestampType }: SinkRecord, tape: Tape): void {
  if (timestamp === undefined || timestampType === 'NoTimestampType') {
    tape.constant(NO_TIME)
    return
  }
  const isCreated = timestampType === 'CreateTime'
  tape.constant(isCreated ? CREATE_TIME : APPEND_TIME)
  tape.integer(timestamp)
  tape.constant(isCreated ? NO_APPEND_TIME : PUSH_TIME)
}

/** A text stays one; anything else is written as its JSON text. */
function writeKey(record: SinkRecord, tape: Tape): void {
  const { key } = record
  if (key === null || key === undefined) tape.ascii('null')
  else tape.jsonText(typeof key === 'string' ? key : plainText(record.keySchema, key))
}

function plainText(schema: SinkRecord['keySchema'], value: unknown): string {
  const json = jsonTextOf(schema, value)
  // A JSON string that is one value only, e.g. of bytes, goes without its quotes.
  return json.startsWith('"') ? (JSON.parse(json) as string) : json
}

function writeHeaders(headers: readonly Header[], tape: Tape): void {
  // The last of several with one name wins, as in the official connector's map.
  const map = new Map(headers.map((header) => [header.key, header]))
  let prefix = '{'
  for (const [name, { schema, value }] of map) {
    tape.ascii(prefix)
    tape.jsonText(name)
    tape.ascii(':')
    if (value === null || value === undefined) tape.ascii('null')
    else tape.jsonText(typeof value === 'string' ? value : plainText(schema, value))
    prefix = ','
  }
  tape.ascii('}')
}
