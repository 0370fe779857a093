// The transformations, predicates and converters that Apache Kafka ships, under its class names.
import type { Converter, HeaderConverter } from '../api/converter.ts'
import type { Predicate, Transformation } from '../api/transformation.ts'
import type { PluginDescriptor, PluginEnvironment } from '../runtime/plugins.ts'
import type { Target } from '../transforms/field-values.ts'

/** The Apache Kafka whose plugins these are. */
export const KAFKA_VERSION = '4.3.1'

const CONNECT = 'org.apache.kafka.connect'
const TRANSFORMS = `${CONNECT}.transforms`

type MakeOn = (target: Target, environment: PluginEnvironment) => Promise<Transformation>

/** Those that come as `$Key` and `$Value`. */
const ON_KEY_OR_VALUE: Readonly<Record<string, MakeOn>> = {
  Cast: async (target) => new (await import('../transforms/cast.ts')).Cast(target),
  ExtractField: async (target) =>
    new (await import('../transforms/extract-field.ts')).ExtractField(target),
  Flatten: async (target) => new (await import('../transforms/flatten.ts')).Flatten(target),
  HeaderFrom: async (target) => new (await import('../transforms/headers.ts')).HeaderFrom(target),
  HoistField: async (target) =>
    new (await import('../transforms/hoist-field.ts')).HoistField(target),
  InsertField: async (target) =>
    new (await import('../transforms/insert-field.ts')).InsertField(target),
  MaskField: async (target) => new (await import('../transforms/mask-field.ts')).MaskField(target),
  ReplaceField: async (target) =>
    new (await import('../transforms/replace-field.ts')).ReplaceField(target),
  SetSchemaMetadata: async (target) =>
    new (await import('../transforms/set-schema-metadata.ts')).SetSchemaMetadata(target),
  TimestampConverter: async (target, { clock }) =>
    new (await import('../transforms/timestamp-converter.ts')).TimestampConverter(target, clock),
}

const ON_RECORD: Readonly<Record<string, () => Promise<Transformation>>> = {
  DropHeaders: async () => new (await import('../transforms/headers.ts')).DropHeaders(),
  Filter: async () => new (await import('../transforms/routers.ts')).Filter(),
  InsertHeader: async () => new (await import('../transforms/headers.ts')).InsertHeader(),
  RegexRouter: async () => new (await import('../transforms/routers.ts')).RegexRouter(),
  TimestampRouter: async () => new (await import('../transforms/routers.ts')).TimestampRouter(),
  ValueToKey: async () => new (await import('../transforms/value-to-key.ts')).ValueToKey(),
}

const PREDICATES: Readonly<Record<string, () => Promise<Predicate>>> = {
  HasHeaderKey: async () => new (await import('../transforms/predicates.ts')).HasHeaderKey(),
  RecordIsTombstone: async () =>
    new (await import('../transforms/predicates.ts')).RecordIsTombstone(),
  TopicNameMatches: async () =>
    new (await import('../transforms/predicates.ts')).TopicNameMatches(),
}

/** Each serves keys and values as well as headers. */
const CONVERTERS: Readonly<Record<string, () => Promise<Converter & HeaderConverter>>> = {
  'converters.BooleanConverter': async () =>
    new (await import('../converters/primitives.ts')).BooleanConverter(),
  'converters.ByteArrayConverter': async () =>
    new (await import('../converters/byte-array.ts')).ByteArrayConverter(),
  'converters.DoubleConverter': async () =>
    (await import('../converters/primitives.ts')).numberConverter('double'),
  'converters.FloatConverter': async () =>
    (await import('../converters/primitives.ts')).numberConverter('float'),
  'converters.IntegerConverter': async () =>
    (await import('../converters/primitives.ts')).numberConverter('integer'),
  'converters.LongConverter': async () =>
    (await import('../converters/primitives.ts')).numberConverter('long'),
  'converters.ShortConverter': async () =>
    (await import('../converters/primitives.ts')).numberConverter('short'),
  'json.JsonConverter': async () => new (await import('../converters/json.ts')).JsonConverter(),
  'storage.StringConverter': async () =>
    new (await import('../converters/string.ts')).StringConverter(),
}

const transformation = (name: string, create: MakeKind<'transformation'>): PluginDescriptor => ({
  kind: 'transformation',
  className: `${TRANSFORMS}.${name}`,
  version: KAFKA_VERSION,
  create,
})
type MakeKind<K extends PluginDescriptor['kind']> = Extract<
  PluginDescriptor,
  { readonly kind: K }
>['create']

/** Everything of Apache Kafka's that this runtime has under the same names. */
export const KAFKA_PLUGINS: readonly PluginDescriptor[] = [
  ...Object.entries(ON_KEY_OR_VALUE).flatMap(([name, make]) => [
    transformation(`${name}$Key`, (environment) => make('key', environment)),
    transformation(`${name}$Value`, (environment) => make('value', environment)),
  ]),
  ...Object.entries(ON_RECORD).map(([name, make]) => transformation(name, make)),
  ...Object.entries(PREDICATES).map(
    ([name, create]): PluginDescriptor => ({
      kind: 'predicate',
      className: `${TRANSFORMS}.predicates.${name}`,
      version: KAFKA_VERSION,
      create,
    }),
  ),
  ...Object.entries(CONVERTERS).flatMap(([name, create]): readonly PluginDescriptor[] => [
    { kind: 'converter', className: `${CONNECT}.${name}`, version: KAFKA_VERSION, create },
    { kind: 'header_converter', className: `${CONNECT}.${name}`, version: KAFKA_VERSION, create },
  ]),
  {
    kind: 'header_converter',
    className: `${CONNECT}.storage.SimpleHeaderConverter`,
    version: KAFKA_VERSION,
    create: async () =>
      new (await import('../converters/simple-header.ts')).SimpleHeaderConverter(),
  },
]
