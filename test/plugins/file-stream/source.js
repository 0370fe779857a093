import { open } from 'node:fs/promises'
import { ConfigDef, ConnectError, int, SourceConnector, SourceTask, string } from 'mta-connect/api'

const VERSION = '4.3.1'
const CONFIG = new ConfigDef({
  file: string({
    doc: 'Source filename. If not specified, the standard input will be used',
    importance: 'HIGH',
    default: undefined,
  }),
  topic: string({
    doc: 'The topic to publish data to',
    importance: 'HIGH',
    check: (topic) => (topic === '' ? 'String must be non-empty' : undefined),
  }),
  'batch.size': int({
    doc: 'The maximum number of records the source task can read from the file each time it is polled',
    importance: 'LOW',
    default: 2000,
  }),
})

/** Reads a file that others append to; one record per line. */
export class FileStreamSourceConnector extends SourceConnector {
  /** @type {import('mta-connect/api').Props} */
  #props = {}

  version() {
    return VERSION
  }

  start(props) {
    this.#props = props
    const { file } = CONFIG.parse(props)
    if (file === undefined) {
      throw new ConnectError('The worker’s standard input cannot be read: file must be given.')
    }
  }

  taskClass() {
    return FileStreamSourceTask
  }

  taskConfigs() {
    return [this.#props]
  }

  stop() {}

  config() {
    return CONFIG
  }

  alterOffsets(_config, offsets) {
    for (const [partition, offset] of offsets) {
      if (offset === null) continue
      if (!('position' in offset)) {
        throw new ConnectError("Offset objects should either be null or contain the key 'position'")
      }
      if (!Number.isInteger(offset['position'])) {
        throw new ConnectError(
          "The value for the 'position' key in the offset is expected to be a Long value",
        )
      }
      if (Number(offset['position']) < 0) {
        throw new ConnectError(
          "The value for the 'position' key in the offset should be a non-negative value",
        )
      }
      if (!('filename' in partition)) {
        throw new ConnectError("Partition objects should contain the key 'filename'")
      }
    }
    return true
  }
}

const IDLE_MS = 1_000
const CHUNK_BYTES = 64 * 1024
const LINE_BYTES_MAX = 16 * 1024 * 1024

class FileStreamSourceTask extends SourceTask {
  /** @type {import('mta-connect/api').ConfigOf<typeof CONFIG>} */
  #config
  /** The open file's handle, once there is one. */
  #file
  /** Bytes that were read and are no whole line yet. */
  #rest = Buffer.alloc(0)
  /** Where `#rest` begins in the file. */
  #position = 0

  version() {
    return VERSION
  }

  start(props) {
    this.#config = CONFIG.parse(props)
  }

  async poll(signal) {
    /** @type {import('mta-connect/api').SourceRecord[]} */
    const records = []
    if (await this.#isOpen()) {
      while (records.length < this.#config['batch.size']) {
        const record = this.#nextLine()
        if (record !== undefined) records.push(record)
        else if (!(await this.#readMore())) break
      }
    }
    if (records.length > 0) return records
    await this.context.clock.sleep(IDLE_MS, signal).catch(() => {}) // Aborted: the task stops.
    return null
  }

  async stop() {
    await this.#file?.close()
    this.#file = undefined
  }

  async #isOpen() {
    if (this.#file !== undefined) return true
    const { file = '' } = this.#config
    try {
      this.#file = await open(file)
    } catch (error) {
      if (error.code !== 'ENOENT') {
        throw new ConnectError(`Cannot open ${file}`, { cause: error })
      }
      this.context.log.warn({ file }, 'The file is not there yet.')
      return false
    }
    const [offset] = await this.context.offsetStorageReader.offsets([{ filename: file }])
    this.#position = Number(offset?.['position'] ?? 0)
    return true
  }

  #nextLine() {
    const newline = this.#rest.indexOf('\n')
    if (newline < 0) return undefined
    const isWindows = newline > 0 && this.#rest[newline - 1] === 0x0d
    const line = this.#rest.toString('utf8', 0, isWindows ? newline - 1 : newline)
    this.#rest = this.#rest.subarray(newline + 1)
    this.#position += newline + 1
    return {
      topic: this.#config.topic,
      kafkaPartition: undefined,
      keySchema: null,
      key: null,
      valueSchema: { type: 'STRING', optional: false },
      value: line,
      timestamp: this.context.clock.now(),
      headers: [],
      sourcePartition: { filename: this.#config.file ?? '' },
      sourceOffset: { position: this.#position },
    }
  }

  async #readMore() {
    if (this.#rest.length > LINE_BYTES_MAX) {
      throw new ConnectError(`A line at ${this.#position} has more than ${LINE_BYTES_MAX} bytes`)
    }
    const chunk = Buffer.alloc(CHUNK_BYTES)
    const end = this.#position + this.#rest.length
    const read = await this.#file?.read(chunk, 0, chunk.length, end)
    if (read === undefined || read.bytesRead === 0) return false
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(0, read.bytesRead)])
    return true
  }
}
