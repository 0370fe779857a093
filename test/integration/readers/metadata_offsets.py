"""How many rows an Iceberg table holds, and how many different records of Kafka they are, read by PyIceberg.

    metadata_offsets.py TABLE_FOLDER
"""
import json
import sys

import pyarrow.compute as pc
from pyiceberg.table import StaticTable


def main() -> None:
    arrow = StaticTable.from_metadata(sys.argv[1]).scan(selected_fields=("RECORD_METADATA",)).to_arrow()
    metadata = arrow["RECORD_METADATA"].combine_chunks()
    records = zip(*(pc.struct_field(metadata, name).to_pylist() for name in ("topicId", "partition", "offset")))
    print(json.dumps({"rows": arrow.num_rows, "distinct": len(set(records))}))


main()
