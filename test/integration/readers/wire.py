"""Protobuf's wire format, read by hand: for bytes that generated classes do not give back.

https://protobuf.dev/programming-guides/encoding/
"""


def read_varint(data, at):
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"no varint ends before byte {at}")


def fields(data):
    """Yields (field number, wire type, value): an int for varints, bytes for all others."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = read_varint(data, at)
            yield number, wire_type, value
            continue
        if wire_type == 1:
            size = 8
        elif wire_type == 5:
            size = 4
        elif wire_type == 2:
            size, at = read_varint(data, at)
        else:
            raise ValueError(f"wire type {wire_type} before byte {at}")
        if at + size > len(data):
            raise ValueError(f"field {number} ends beyond the message")
        yield number, wire_type, bytes(data[at : at + size])
        at += size


def merged(data, number):
    """All occurrences of a message field joined, which is what merging them means; None without any."""
    parts = [value for n, wire_type, value in fields(data) if n == number and wire_type == 2]
    return b"".join(parts) if parts else None


def last(data, number, default=None):
    """The last value of a scalar field."""
    value = default
    for n, _, v in fields(data):
        if n == number:
            value = v
    return value
