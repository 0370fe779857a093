// Kafka's FileStream connectors, written as somebody outside of the worker's repository would write a plugin.
import { FileStreamSinkConnector } from './sink.js'
import { FileStreamSourceConnector } from './source.js'

/** @type {readonly import('mta-connect/api').PluginDefinition[]} */
export const plugins = [
  {
    kind: 'source',
    className: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    create: () => new FileStreamSourceConnector(),
  },
  {
    kind: 'sink',
    className: 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    create: () => new FileStreamSinkConnector(),
  },
]
