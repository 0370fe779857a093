"""Says of a table after a crash what PyIceberg and DuckDB's iceberg extension find in it; for test/chaos.

Reads requests {"table": FOLDER} from standard input, one a line, and answers each with {"ok": {...}} or {"error": {...}}.
Per engine and snapshot: how many rows, how many different N, the least and the greatest N, and how many rows have a value
that does not belong to their N. Which columns there are is taken from PyIceberg's reading of the metadata.
"""

import json
import sys
import tempfile
from pathlib import Path

from pyiceberg.table import StaticTable

from read_table_duckdb import connect

TOKEN = "chaos.token"


def measure(connection, source, fields):
    """Five numbers about the rows of one snapshot. Every column's value follows from N and its field id."""
    wrong = ["N IS NULL"]
    for field in fields:
        name = '"' + field.name + '"'
        if field.name == "P":
            wrong += ["P IS NULL", "P.A IS DISTINCT FROM N", "P.B IS DISTINCT FROM 'row ' || N"]
        elif field.name != "N":
            wrong.append(f"{name} <> N * {field.field_id}")
    row = connection.execute(
        f"SELECT count(*), count(DISTINCT N), coalesce(min(N), 0), coalesce(max(N), -1),"
        f" count(*) FILTER (WHERE {' OR '.join(wrong)}) FROM {source}"
    ).fetchone()
    return [int(value) for value in row]


def look(connection, folder):
    table = StaticTable.from_metadata(folder)
    metadata = table.metadata
    current = metadata.current_snapshot_id
    place = folder.replace("'", "''")
    snapshots = []
    for snapshot in metadata.snapshots:
        fields = table.schemas()[snapshot.schema_id].fields
        source = f"iceberg_scan('{place}', snapshot_from_id = {snapshot.snapshot_id})"
        entry = {
            "current": snapshot.snapshot_id == current,
            "token": (snapshot.summary.additional_properties if snapshot.summary else {}).get(TOKEN),
            "duckdb": measure(connection, source, fields),
            "pyiceberg_rows": table.scan(snapshot_id=snapshot.snapshot_id).count(),
        }
        if entry["current"]:
            rows = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
            connection.register("read_by_pyiceberg", rows)
            entry["pyiceberg"] = measure(connection, "read_by_pyiceberg", fields)
            connection.unregister("read_by_pyiceberg")
        snapshots.append(entry)
    return {
        "properties": dict(metadata.properties),
        "columns": [field.name for field in table.schema().fields],
        "snapshots": snapshots,
    }


def main():
    with tempfile.TemporaryDirectory() as extensions:
        connection = connect(Path(extensions))
        for line in sys.stdin:
            try:
                answer = {"ok": look(connection, json.loads(line)["table"].rstrip("/"))}
            except Exception as error:  # Whatever an engine says of the table is a finding.
                answer = {"error": {"name": type(error).__name__, "status": None, "text": str(error)}}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
