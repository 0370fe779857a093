"""What a connector has to emit for a sequence of recorded bodies, found without any of its code.

    decode_feeds.py --feed mta-subway-ace FOLDER          every *.pb in it, by the number in its name
    decode_feeds.py --feed mta-mnr FILE.pb [FILE.pb ...]  these, in this order

Prints one JSON object a line for each vehicle position to be emitted, in order. Timestamps are Unix
milliseconds. The rules are in README.md.
"""

import argparse
import hashlib
import json
import math
import re
import struct
import sys
from pathlib import Path

from google.transit import gtfs_realtime_pb2 as gtfs

import wire

ENTITY = 2
ENTITY_VEHICLE = 4
VEHICLE_TRIP = 1
VEHICLE_STATUS = 4
VEHICLE_CONGESTION = 6
VEHICLE_OCCUPANCY = 9
VEHICLE_CROWDING = 1006
TRIP_NYCT = 1001
TRIP_RELATIONSHIP = 4

SUBWAY, LIRR, MNR, BUS = "subway", "lirr", "mnr", "bus"
REGRESSED_MAX = 3
DIRECTIONS = {1: "NORTH", 2: "EAST", 3: "SOUTH", 4: "WEST"}
LETTERS = {"N": "NORTH", "E": "EAST", "S": "SOUTH", "W": "WEST"}


def kind_of(feed):
    if feed.startswith("mta-subway-"):
        return SUBWAY
    kinds = {"mta-lirr": LIRR, "mta-mnr": MNR, "mta-bus-vp": BUS}
    if feed not in kinds:
        sys.exit(f"decode_feeds: no rules for feed {feed}")
    return kinds[feed]


def present(message, field):
    return getattr(message, field) if message.HasField(field) else None


def enum_name(message, field, raw, number):
    """The symbol; UNKNOWN_<n> for a number that the generated classes do not list; None when absent."""
    if message.HasField(field):
        descriptor = message.DESCRIPTOR.fields_by_name[field].enum_type
        return descriptor.values_by_number[getattr(message, field)].name
    value = wire.last(raw, number) if raw is not None else None
    return None if value is None else f"UNKNOWN_{value}"


def six_digits(value):
    return math.floor(value * 1e6 + 0.5) / 1e6


def short_float(value):
    """A float32 as the six-digit number that is the same float32, else as the double it is."""
    if value is None or not math.isfinite(value):
        return None
    short = six_digits(value)
    return short if struct.unpack("<f", struct.pack("<f", short))[0] == value else value


def millis(seconds):
    return None if seconds is None else seconds * 1000


def nyct_fields(trip, raw_trip):
    raw = wire.merged(raw_trip, TRIP_NYCT) if raw_trip is not None else None
    if raw is None:
        return {"nyct_train_id": None, "nyct_is_assigned": None, "nyct_direction": None}
    train = wire.last(raw, 1)
    stated = wire.last(raw, 3, 1)
    letter = re.search(r"\.\.?([NESW])", trip.trip_id)
    direction = DIRECTIONS.get(stated, f"UNKNOWN_{stated}")
    return {
        "nyct_train_id": None if train is None else train.decode(),
        "nyct_is_assigned": bool(wire.last(raw, 2, 0)),
        "nyct_direction": LETTERS[letter.group(1)] if letter else direction,
    }


def vehicle_key(kind, entity, trip):
    if kind == BUS:
        return entity.vehicle.vehicle.id or None
    if not trip.trip_id:
        return None
    return trip.trip_id if kind == LIRR else f"{trip.trip_id}|{trip.start_date}"


def row(feed, kind, header, entity, raw, trip, raw_trip, route):
    vehicle = entity.vehicle
    position = vehicle.position if vehicle.HasField("position") else None
    crowding = wire.merged(raw, VEHICLE_CROWDING) or b""
    no_nyct = {"nyct_train_id": None, "nyct_is_assigned": None, "nyct_direction": None}
    out = {
        "feed_id": feed,
        "entity_id": entity.id,
        "record_key": f"{feed}|{vehicle_key(kind, entity, trip)}",
        "content_hash": hashlib.sha256(raw).hexdigest(),
        "feed_timestamp": millis(present(header, "timestamp")),
        "trip_id": present(trip, "trip_id"),
        "route_id": route,
        "direction_id": present(trip, "direction_id"),
        "start_time": present(trip, "start_time"),
        "start_date": present(trip, "start_date"),
        "trip_schedule_relationship": enum_name(
            trip, "schedule_relationship", raw_trip, TRIP_RELATIONSHIP
        ),
        **(nyct_fields(trip, raw_trip) if kind == SUBWAY else no_nyct),
        "vehicle_id": present(vehicle.vehicle, "id"),
        "vehicle_label": present(vehicle.vehicle, "label"),
        "license_plate": present(vehicle.vehicle, "license_plate"),
        "current_stop_sequence": present(vehicle, "current_stop_sequence"),
        "stop_id": present(vehicle, "stop_id"),
        "current_status": enum_name(vehicle, "current_status", raw, VEHICLE_STATUS),
        "vehicle_timestamp": millis(present(vehicle, "timestamp")),
        "congestion_level": enum_name(vehicle, "congestion_level", raw, VEHICLE_CONGESTION),
        "occupancy_status": enum_name(vehicle, "occupancy_status", raw, VEHICLE_OCCUPANCY),
        "occupancy_percentage": present(vehicle, "occupancy_percentage"),
        "passenger_count": wire.last(crowding, 1),
        "passenger_capacity": wire.last(crowding, 2),
    }
    if kind == SUBWAY:
        return out  # A subway position is worked out by the connector, not received.
    out["latitude"] = None if position is None else six_digits(position.latitude)
    out["longitude"] = None if position is None else six_digits(position.longitude)
    out["bearing"] = None if position is None else short_float(present(position, "bearing"))
    out["speed_mps"] = None if position is None else short_float(present(position, "speed"))
    out["odometer_m"] = None if position is None else present(position, "odometer")
    return out


class Feed:
    """Remembers what was emitted last for each key."""

    def __init__(self, feed):
        self.feed = feed
        self.kind = kind_of(feed)
        self.hashes = {}
        self.header_timestamp = None
        self.regressed = 0
        self.last_body = None

    def accept(self, body):
        if body == self.last_body:
            return []
        message = gtfs.FeedMessage.FromString(body)
        if self.is_regressed(message.header):
            return []
        self.last_body = body
        self.header_timestamp = present(message.header, "timestamp")
        emitted = []
        for candidate in self.newest_of_each_key(message, body):
            key, digest = candidate["record_key"], candidate["content_hash"]
            if self.hashes.get(key) != digest:
                self.hashes[key] = digest
                emitted.append(candidate)
        return emitted

    def is_regressed(self, header):
        stamp = present(header, "timestamp")
        is_older = (
            self.kind != MNR
            and None not in (stamp, self.header_timestamp)
            and stamp < self.header_timestamp
        )
        self.regressed = self.regressed + 1 if is_older else 0
        if self.regressed < REGRESSED_MAX:
            return is_older
        self.regressed = 0
        return False

    def newest_of_each_key(self, message, body):
        raw_entities = [v for n, t, v in wire.fields(body) if n == ENTITY and t == 2]
        assert len(raw_entities) == len(message.entity)
        routes = {
            e.trip_update.trip.trip_id: e.trip_update.trip.route_id
            for e in message.entity
            if e.HasField("trip_update") and e.trip_update.trip.HasField("route_id")
        }
        newest = {}
        for entity, raw_entity in zip(message.entity, raw_entities):
            if not entity.HasField("vehicle"):
                continue
            raw = wire.merged(raw_entity, ENTITY_VEHICLE)
            trip, raw_trip = entity.vehicle.trip, wire.merged(raw, VEHICLE_TRIP)
            if self.kind == MNR and entity.HasField("trip_update"):
                trip, raw_trip = entity.trip_update.trip, None
            route = present(trip, "route_id")
            if route is None and self.kind == LIRR:
                route = routes.get(trip.trip_id)
            if vehicle_key(self.kind, entity, trip) is None:
                continue
            found = row(
                self.feed, self.kind, message.header, entity, raw, trip, raw_trip, route
            )
            other = newest.get(found["record_key"])
            stamp = found["vehicle_timestamp"] or 0
            if other is None or stamp > (other["vehicle_timestamp"] or 0):
                newest[found["record_key"]] = found
        return newest.values()


def bodies(paths):
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        found = sorted(
            path.glob("*.pb"),
            key=lambda f: (int(m.group()) if (m := re.match(r"\d+", f.name)) else math.inf, f.name),
        )
        yield from found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feed", required=True)
    parser.add_argument("--count", action="store_true", help="print figures instead of rows")
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    feed = Feed(options.feed)
    count = files = 0
    for path in bodies(options.paths):
        files += 1
        for emitted in feed.accept(path.read_bytes()):
            count += 1
            if not options.count:
                print(json.dumps(emitted, ensure_ascii=False))
    if options.count:
        print(f"{files} bodies, {count} rows, {len(feed.hashes)} keys")


if __name__ == "__main__":
    main()
