import { oneOf, string } from '../api/config-def.ts'

/** What Apache Kafka's converters are told of their use; the worker says it, nobody configures it. */
export const CONVERTER_TYPE = {
  'converter.type': string({
    doc: 'How this converter will be used.',
    importance: 'LOW',
    check: oneOf('key', 'value', 'header'),
  }),
}

/** The settings of a converter with what the worker says of its use. */
export const withType = <P extends Readonly<Record<string, string>>>(config: P, isKey = false) => ({
  'converter.type': isKey ? 'key' : 'value',
  ...config,
})
