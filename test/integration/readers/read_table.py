"""Prints the rows of an Iceberg table, one JSON object a line, as PyIceberg reads them.

    read_table.py TABLE_FOLDER [--snapshot ID] [--columns a,b] [--count]

The folder is the one that holds metadata/version-hint.text.
"""

import argparse
import json

from pyiceberg.table import StaticTable

from plain import lower_names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--snapshot", type=int)
    parser.add_argument("--columns", help="in any case, separated by commas; default: all")
    parser.add_argument("--count", action="store_true", help="print the number of rows only")
    options = parser.parse_args()
    table = StaticTable.from_metadata(options.table.rstrip("/"))
    selected = ("*",)
    if options.columns is not None:
        wanted = options.columns.lower().split(",")
        names = {field.name.lower(): field.name for field in table.schema().fields}
        selected = tuple(names[name] for name in wanted)
    scan = table.scan(snapshot_id=options.snapshot, selected_fields=selected)
    if options.count:
        print(scan.to_arrow().num_rows)
        return
    for batch in scan.to_arrow_batch_reader():
        for row in batch.to_pylist():
            print(json.dumps(lower_names(row), ensure_ascii=False))


if __name__ == "__main__":
    main()
