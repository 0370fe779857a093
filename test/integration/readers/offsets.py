"""Which Kafka offsets an Iceberg table holds, read by PyIceberg: one JSON object with, per topic id and partition,
the rows, the distinct offsets, the smallest and the largest one, and the rows whose payload is not what was sent.

    offsets.py TABLE_FOLDER
"""
import json
import sys

import pyarrow.compute as pc
from pyiceberg.table import StaticTable


def main() -> None:
    arrow = StaticTable.from_metadata(sys.argv[1]).scan(
        selected_fields=("RECORD_METADATA", "PARTITION_NUMBER", "SEQ", "PAYLOAD")
    ).to_arrow()
    metadata = arrow["RECORD_METADATA"].combine_chunks()
    columns = {
        "topic_id": pc.struct_field(metadata, "topicId").to_pylist(),
        "partition": pc.struct_field(metadata, "partition").to_pylist(),
        "offset": pc.struct_field(metadata, "offset").to_pylist(),
        "partition_number": arrow["PARTITION_NUMBER"].to_pylist(),
        "seq": arrow["SEQ"].to_pylist(),
        "payload": arrow["PAYLOAD"].to_pylist(),
    }
    seen: dict = {}
    for topic_id, partition, offset, number, seq, payload in zip(*columns.values()):
        entry = seen.setdefault(f"{topic_id}/{partition}", {"rows": 0, "offsets": set(), "wrong": 0})
        entry["rows"] += 1
        entry["offsets"].add(offset)
        if number != partition or payload != f"p{partition}-s{seq}":
            entry["wrong"] += 1
    print(json.dumps({
        key: {
            "rows": entry["rows"],
            "distinct": len(entry["offsets"]),
            "min": min(entry["offsets"]),
            "max": max(entry["offsets"]),
            "wrong": entry["wrong"],
        }
        for key, entry in seen.items()
    }))


main()
