// The names by which Confluent's AvroData says in one schema language what only the other one has.

export const AVRO_NAMESPACE = 'io.confluent.connect.avro'
/** The Avro name of a struct that has none in Connect. */
export const NO_NAME = `${AVRO_NAMESPACE}.ConnectDefault`
export const MAP_ENTRY = `${AVRO_NAMESPACE}.MapEntry`
/** Name of the struct that stands for a union of several types. */
export const UNION_STRUCT = `${AVRO_NAMESPACE}.Union`
/** A STRING with this parameter is an enum; one more parameter for each symbol. */
export const ENUM_PARAMETER = `${AVRO_NAMESPACE}.Enum`
export const FIXED_SIZE_PARAMETER = 'connect.fixed.size'
