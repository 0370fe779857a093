"""Values of Python's table libraries as plain JSON: one way to write each, whoever read it."""

import datetime as dt
import decimal
import math
import uuid

EPOCH = dt.datetime(1970, 1, 1)


def plain(value):
    """Timestamps become Unix milliseconds (microseconds after the point, if any), dates ISO text, bytes hex,
    decimals text, maps lists of pairs; numbers that JSON cannot write become their names."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.datetime):
        naive = value.astimezone(dt.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        micros = (naive - EPOCH) // dt.timedelta(microseconds=1)
        return micros // 1000 if micros % 1000 == 0 else micros / 1000
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    raise TypeError(f"no JSON for {type(value).__name__}")


def lower_names(row):
    """The row with lower-case column names; nested names stay as they are."""
    out = {name.lower(): plain(value) for name, value in row.items()}
    if len(out) != len(row):
        raise ValueError("two columns differ only in upper and lower case")
    return out
