import { open } from 'node:fs/promises'
import {
  ConfigDef,
  ConnectError,
  convertToString,
  SinkConnector,
  SinkTask,
  string,
} from 'mta-connect/api'

const VERSION = '4.3.1'
const CONFIG = new ConfigDef({
  file: string({
    doc: 'Destination filename. If not specified, the standard output will be used',
    importance: 'HIGH',
    default: undefined,
  }),
})

/** Appends each record's value to a file, one line each. */
export class FileStreamSinkConnector extends SinkConnector {
  /** @type {import('mta-connect/api').Props} */
  #props = {}

  version() {
    return VERSION
  }

  start(props) {
    this.#props = props
  }

  taskClass() {
    return FileStreamSinkTask
  }

  taskConfigs(maxTasks) {
    return Array.from({ length: maxTasks }, () => this.#props)
  }

  stop() {}

  config() {
    return CONFIG
  }

  /** Nothing of the file depends on offsets. */
  alterOffsets() {
    return true
  }
}

class FileStreamSinkTask extends SinkTask {
  /** The open file's handle, once there is one. */
  #file

  version() {
    return VERSION
  }

  async start(props) {
    const { file } = CONFIG.parse(props)
    if (file === undefined) return
    try {
      this.#file = await open(file, 'a')
    } catch (error) {
      throw new ConnectError(`Couldn't find or create file '${file}' for FileStreamSinkTask`, {
        cause: error,
      })
    }
  }

  async put(records) {
    if (records.length === 0) return
    const lines = records.map(
      ({ valueSchema, value }) => `${convertToString(valueSchema, value) ?? 'null'}\n`,
    )
    if (this.#file === undefined) process.stdout.write(lines.join(''))
    else await this.#file.appendFile(lines.join(''))
  }

  async flush() {
    await this.#file?.sync()
  }

  async stop() {
    await this.#file?.close()
    this.#file = undefined
  }
}
