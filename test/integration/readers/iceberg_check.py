"""What two independent engines say of an Iceberg table, as one JSON object.

    iceberg_check.py TABLE_FOLDER            for every snapshot, per engine: rows, and per column count, distinct, sum, min, max, values
    iceberg_check.py TABLE_FOLDER --count    the number of rows of the current snapshot, by PyIceberg
    iceberg_check.py TABLE_FOLDER --filter E  how many of them an expression finds, which also needs right bounds

PyIceberg and DuckDB's own iceberg extension share no code with this project nor with each other.
"""

import argparse
import json
import tempfile
from pathlib import Path

from pyiceberg.table import StaticTable

from read_table_duckdb import connect


def plain(value):
    """The value as JSON that both engines print alike."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def as_map(value, kind):
    """The value as JSON; maps as pairs sorted by key, at any depth."""
    name = kind.__class__.__name__
    if not value and name == "ListType" and kind.element_type.is_struct:
        return None  # PyIceberg 0.12 reads a null list of structs as an empty one (ArrowProjectionVisitor.list).
    if value is None:
        return None
    if name == "MapType":
        return sorted(
            ([plain(key), as_map(item, kind.value_type)] for key, item in value),
            key=lambda pair: json.dumps(pair[0]),
        )
    if name == "ListType":
        return [as_map(item, kind.element_type) for item in value]
    if name == "StructType":
        return {field.name: as_map(value[field.name], field.field_type) for field in kind.fields}
    return plain(value)


def summary(schema, columns):
    """Per column what the sender knows as well: values as a sorted list, and how many are null."""
    result = {}
    for field, values in zip(schema.fields, columns, strict=True):
        shown = [as_map(value, field.field_type) for value in values]
        result[field.name] = {
            "nulls": sum(value is None for value in shown),
            "values": sorted((json.dumps(value, sort_keys=True) for value in shown if value is not None)),
        }
    return result


def by_pyiceberg(table, schema, snapshot_id):
    arrow = table.scan(snapshot_id=snapshot_id).to_arrow()
    columns = [arrow.column(field.name).to_pylist() for field in schema.fields]
    return {"rows": arrow.num_rows, "columns": summary(schema, columns)}


def by_duckdb(connection, folder, schema, snapshot_id):
    names = ", ".join('"' + field.name.replace('"', '""') + '"' for field in schema.fields)
    place = folder.replace("'", "''")
    cursor = connection.execute(
        f"SELECT {names} FROM iceberg_scan('{place}', snapshot_from_id = {snapshot_id})"
    )
    # By Arrow, since DuckDB's own way to Python wants another package for time zones.
    arrow = cursor.fetch_arrow_table()
    columns = [arrow.column(field.name).to_pylist() for field in schema.fields]
    return {"rows": arrow.num_rows, "columns": summary(schema, columns)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--filter", help="an expression of PyIceberg; prints how many rows it finds")
    options = parser.parse_args()
    folder = options.table.rstrip("/")
    table = StaticTable.from_metadata(folder)
    if options.count:
        print(table.scan().count())
        return
    if options.filter is not None:
        print(json.dumps({"rows": table.scan(row_filter=options.filter).to_arrow().num_rows}))
        return
    result = {"fields": {field.name: field.field_id for field in table.schema().fields}, "snapshots": {}}
    with tempfile.TemporaryDirectory() as extensions:
        connection = connect(Path(extensions))
        for snapshot in table.metadata.snapshots:
            schema = table.schemas()[snapshot.schema_id]
            result["snapshots"][str(snapshot.snapshot_id)] = {
                "pyiceberg": by_pyiceberg(table, schema, snapshot.snapshot_id),
                "duckdb": by_duckdb(connection, folder, schema, snapshot.snapshot_id),
            }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
