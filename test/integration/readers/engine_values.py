"""Values of three engines in one notation, so that they can be compared with each other and with what was sent.

Whole numbers, decimals: their text. Floating point: the bits of the double in hex, or nan, inf, -inf. Dates: ISO text.
Timestamps: microseconds since the epoch, as text. Bytes: hex. Structs: objects. Lists: lists. Maps: pairs sorted by key.
"""

import datetime as dt
import decimal
import json
import math
import struct
import uuid

EPOCH = dt.datetime(1970, 1, 1)


def shown(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return struct.pack(">d", value).hex() if math.isfinite(value) else str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        naive = value.astimezone(dt.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        return str((naive - EPOCH) // dt.timedelta(microseconds=1))
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):  # Arrow's map
            return pairs(value)
        return [shown(item) for item in value]
    if isinstance(value, SparkMap):
        return pairs(value.items())
    if isinstance(value, dict):  # Arrow's struct
        return {name: shown(item) for name, item in value.items()}
    raise TypeError(f"no notation for {type(value).__name__}")


class SparkMap(dict):
    """A map that Spark gave, where Arrow's dictionaries are structs."""


def pairs(items):
    return sorted(([shown(key), shown(item)] for key, item in items), key=lambda pair: json.dumps(pair[0], ensure_ascii=False))


def from_spark(value):
    """Spark's value with its maps told apart."""
    if hasattr(value, "asDict"):
        return {name: from_spark(item) for name, item in value.asDict().items()}
    if isinstance(value, dict):
        return SparkMap((key, from_spark(item)) for key, item in value.items())
    if isinstance(value, list):
        return [from_spark(item) for item in value]
    return value
