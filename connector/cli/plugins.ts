// The classes that configurations may name. Their code is loaded when they are first used.
import type { PluginDescriptor } from '../runtime/plugins.ts'
import { KAFKA_PLUGINS } from './kafka-plugins.ts'

/** Version of what is part of this project. */
export const VERSION = '0.1.0'

const CONNECTORS: readonly PluginDescriptor[] = [
  {
    kind: 'source',
    className: 'MtaSourceConnector',
    version: VERSION,
    create: async () => {
      const { MtaSourceConnector } = await import('../../source-mta/connector.ts')
      return new MtaSourceConnector()
    },
  },
  {
    kind: 'sink',
    className: 'SnowflakeSinkConnector',
    aliases: [
      'com.snowflake.kafka.connector.SnowflakeStreamingSinkConnector',
      'SnowflakeStreamingSinkConnector',
    ],
    version: VERSION,
    create: async () => {
      const { SnowflakeSinkConnector } = await import('../snowflake/connector.ts')
      return new SnowflakeSinkConnector()
    },
  },
]

const CONVERTERS: readonly PluginDescriptor[] = [
  {
    kind: 'converter',
    className: 'io.confluent.connect.avro.AvroConverter',
    version: VERSION,
    create: async (environment) => {
      const { AvroConverter } = await import('../converters/avro.ts')
      return new AvroConverter(environment)
    },
  },
]

const PROVIDER = 'org.apache.kafka.common.config.provider'
const OTHERS: readonly PluginDescriptor[] = [
  {
    kind: 'config_provider',
    className: `${PROVIDER}.EnvVarConfigProvider`,
    version: VERSION,
    create: async ({ environment }) => {
      const { EnvVarConfigProvider } = await import('../runtime/config-providers.ts')
      return new EnvVarConfigProvider(environment)
    },
  },
  {
    kind: 'config_provider',
    className: `${PROVIDER}.FileConfigProvider`,
    version: VERSION,
    create: async () => {
      const { FileConfigProvider } = await import('../runtime/config-providers.ts')
      return new FileConfigProvider()
    },
  },
  {
    kind: 'config_provider',
    className: `${PROVIDER}.DirectoryConfigProvider`,
    version: VERSION,
    create: async () => {
      const { DirectoryConfigProvider } = await import('../runtime/config-providers.ts')
      return new DirectoryConfigProvider()
    },
  },
  {
    kind: 'rest_extension',
    className: 'MtaUiExtension',
    version: VERSION,
    create: async () => {
      const { MtaUiExtension } = await import('../../ui/extension.ts')
      return new MtaUiExtension()
    },
  },
]

/** Everything that comes with the project. */
export const BUILT_IN_PLUGINS: readonly PluginDescriptor[] = [
  ...CONNECTORS,
  ...CONVERTERS,
  ...KAFKA_PLUGINS,
  ...OTHERS,
]
