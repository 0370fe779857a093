"""Prints the rows of an Iceberg table, one JSON object a line, as DuckDB reads them. Needs no network.

    read_table_duckdb.py TABLE_FOLDER [--columns a,b] [--count]
    read_table_duckdb.py TABLE_FOLDER --sql 'SELECT route_id, count(*) FROM t GROUP BY ALL'   (t is the table)
"""

import argparse
import importlib
import json
import shutil
import tempfile
from pathlib import Path

import duckdb

from plain import lower_names

ROWS_A_TIME = 1000


def connect(folder, extensions=("avro", "iceberg")):
    """A connection with these extensions of the PyPI packages; DuckDB checks their signatures."""
    connection = duckdb.connect(config={"extension_directory": str(folder)})
    connection.execute("SET TimeZone = 'UTC'")
    platform = connection.execute("PRAGMA platform").fetchone()[0]
    target = folder / f"v{duckdb.__version__}" / platform
    target.mkdir(parents=True)
    for name in extensions:
        package = Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
        [file] = package.rglob(f"{name}.duckdb_extension")
        shutil.copy(file, target)
        connection.execute(f"LOAD {name}")
    return connection


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--columns", help="in any case, separated by commas; default: all")
    parser.add_argument("--count", action="store_true", help="print the number of rows only")
    parser.add_argument("--sql", help="a query about the table t")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        connection = connect(Path(folder))
        table = options.table.rstrip("/").replace("'", "''")
        connection.execute(
            f"CREATE TEMP VIEW t AS FROM iceberg_scan('{table}', allow_moved_paths => true)"
        )
        if options.count:
            print(connection.execute("SELECT count(*) FROM t").fetchone()[0])
            return
        names = options.columns.split(",") if options.columns else ["*"]
        columns = ", ".join(n if n == "*" else '"' + n.replace('"', '""') + '"' for n in names)
        # By way of Arrow: DuckDB's own Python values of TIMESTAMP WITH TIME ZONE need one more package.
        result = connection.execute(options.sql or f"SELECT {columns} FROM t")
        for batch in result.to_arrow_reader(ROWS_A_TIME):
            for row in batch.to_pylist():
                print(json.dumps(lower_names(row), ensure_ascii=False))


if __name__ == "__main__":
    main()
