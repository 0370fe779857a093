/**
 * A consumed Avro value that is still bytes. Who only passes it on, or turns it into another format,
 * never pays for the object; who asks `decode()` gets the Connect value.
 *
 * The converter has checked, before it hands one out, that the bytes can be decoded with the writer's
 * schema to their end, so `decode()` throws only for a bug.
 */
export interface EncodedAvro {
  /** The Avro body, without the registry's five-byte prefix. Valid as long as the record is. */
  readonly bytes: Uint8Array
  /** The writer's Avro schema, parsed JSON; the same object for every record of one `schemaId`. */
  readonly writerSchema: unknown
  /** The writer's schema's id in the registry. Unique per registry. */
  readonly schemaId: number
  decode(): unknown
}
