"""Registers, evolves, writes and reads through Confluent's own Python client. argv: the registry's URL."""
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

FIRST = json.dumps({"type": "record", "name": "R", "namespace": "n", "fields": [{"name": "a", "type": "string"}]})
SECOND = json.dumps({"type": "record", "name": "R", "namespace": "n", "fields": [
    {"name": "a", "type": "string"}, {"name": "b", "type": "long", "default": 7}]})
WRONG = json.dumps({"type": "record", "name": "R", "namespace": "n", "fields": [{"name": "c", "type": "int"}]})

client = SchemaRegistryClient({"url": sys.argv[1]})
context = SerializationContext("py", MessageField.VALUE)

old = AvroSerializer(client, FIRST)({"a": "x"}, context)
new = AvroSerializer(client, SECOND)({"a": "y", "b": 2**62}, context)
latest = AvroSerializer(client, conf={"auto.register.schemas": False, "use.latest.version": True})(
    {"a": "z", "b": 1}, context)
read = AvroDeserializer(client, SECOND)
compatible = [client.test_compatibility("py-value", Schema(text, "AVRO")) for text in (FIRST, SECOND, WRONG)]
try:
    client.register_schema("py-value", Schema(WRONG, "AVRO"))
    refused = None
except SchemaRegistryError as error:
    refused = [error.http_status_code, error.error_code]
json.dump({
    "values": [read(message, context) for message in (old, new, latest)],
    "ids": [int.from_bytes(message[1:5], "big") for message in (old, new, latest)],
    "compatible": compatible,
    "refused": refused,
    "subjects": client.get_subjects(),
    "versions": client.get_versions("py-value"),
    "level": client.get_config().compatibility_level,
    "contexts": client.get_contexts(),
    "deleted": client.delete_subject("py-value"),
    "purged": client.delete_subject("py-value", permanent=True),
    "hex": new.hex(),
}, sys.stdout)
