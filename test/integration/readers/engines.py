"""What one engine says of one Iceberg table, read by its folder and through a REST catalog, as one JSON object.

    engines.py ENGINE REQUEST        ENGINE: pyiceberg, duckdb or spark; REQUEST: JSON with
        folder, uri, warehouse, namespace, table    where the table is
        snapshots    ids to read by time travel, besides the current state
        sums, ranges columns to add up; columns to take the least and the greatest of
        jars         spark only: paths of Iceberg's runtime

For each of "path" and "catalog": rows (sorted by N), sums and ranges (by the engine itself), nulls per column, snapshots in
the order of their numbers, and counts and columns of the snapshots asked for. "writes" has what the engine said when it was
told to change the table through the catalog, null when it did so.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

from engine_values import from_spark, shown


def refusals(attempts):
    said = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            said[name] = None
        except Exception as error:  # Each engine has its own kind of refusal.
            said[name] = f"{type(error).__name__}: {str(error)[:300]}"
    return said


def rows_of(arrow, empty_is_null=()):
    rows = []
    for row in arrow.to_pylist():
        for name in empty_is_null:
            if row.get(name) == []:
                row[name] = None
        rows.append({name: shown(value) for name, value in row.items()})
    return sorted(rows, key=lambda row: int(row["N"]))


class PyIceberg:
    def __init__(self, request):
        from pyiceberg.catalog import load_catalog
        from pyiceberg.table import StaticTable

        self.request = request
        self.catalog = load_catalog("c", type="rest", uri=request["uri"], warehouse=request["warehouse"])
        self.name = f"{request['namespace']}.{request['table']}"
        self.open = {
            "path": lambda: StaticTable.from_metadata(request["folder"]),
            "catalog": lambda: self.catalog.load_table(self.name),
        }

    def read(self, way):
        import pyarrow.compute as pc

        table = self.open[way]()
        arrow = table.scan().to_arrow()
        # PyIceberg 0.12 reads null lists and maps of structs as empty ones (ArrowProjectionVisitor.list, .map).
        lists = [f.name for f in table.schema().fields if re.match("(list<|map<.*)struct<", str(f.field_type))]
        ranges = {}
        for name in self.request["ranges"]:
            found = pc.min_max(arrow.column(name)).as_py()
            ranges[name] = [shown(found["min"]), shown(found["max"])]
        sums = {name: shown(pc.sum(arrow.column(name)).as_py()) for name in self.request["sums"]}
        at = {}
        for snapshot in self.request["snapshots"]:
            found = table.scan(snapshot_id=int(snapshot)).to_arrow()
            at[snapshot] = [found.num_rows, found.column_names]
        return {
            "rows": rows_of(arrow, lists),
            "sums": sums,
            "ranges": ranges,
            "nulls": {
                name: sum(row[name] is None for row in rows_of(arrow.select(sorted({"N", name})), lists))
                for name in arrow.column_names
            },
            "history": [
                [str(s.snapshot_id), s.summary.operation.value, s.summary["total-records"]]
                for s in sorted(table.metadata.snapshots, key=lambda s: s.sequence_number)
            ],
            "at": at,
        }

    def write(self):
        table = self.open["catalog"]()
        some = table.scan(limit=1).to_arrow()
        return refusals(
            {
                "insert": lambda: table.append(some),
                "delete": lambda: table.delete("N = 1"),
                "alter": lambda: table.update_schema().delete_column("N").commit(),
                "create": lambda: self.catalog.create_table(f"{self.request['namespace']}.OTHER", some.schema),
                "drop": lambda: self.catalog.drop_table(self.name),
                "namespace": lambda: self.catalog.create_namespace("OTHER"),
            }
        )


class DuckDb:
    def __init__(self, request):
        from read_table_duckdb import connect

        self.request = request
        self.extensions = tempfile.TemporaryDirectory()
        self.connection = connect(Path(self.extensions.name), ("avro", "httpfs", "iceberg"))
        self.connection.execute(
            f"ATTACH '{request['warehouse']}' AS c (TYPE iceberg, ENDPOINT '{request['uri']}', AUTHORIZATION_TYPE 'none')"
        )
        self.name = f'c."{request["namespace"]}"."{request["table"]}"'

    def source(self, way, snapshot=None):
        if way == "catalog":
            return self.name if snapshot is None else f"{self.name} AT (VERSION => {snapshot})"
        extra = "" if snapshot is None else f", snapshot_from_id = {snapshot}"
        return f"iceberg_scan('{self.request['folder']}'{extra})"

    def ask(self, sql):
        return self.connection.execute(sql).to_arrow_table()

    def row(self, expressions, way):
        found = self.ask(f"SELECT {', '.join(expressions)} FROM {self.source(way)}").to_pylist()[0]
        return [shown(value) for value in found.values()]

    def read(self, way):
        arrow = self.ask(f"SELECT * FROM {self.source(way)}")
        sums, ranges = self.request["sums"], self.request["ranges"]
        names = arrow.column_names
        least = self.row([f'min("{n}") AS a{i}' for i, n in enumerate(ranges)], way)
        greatest = self.row([f'max("{n}") AS a{i}' for i, n in enumerate(ranges)], way)
        added = self.row([f'sum("{n}") AS a{i}' for i, n in enumerate(sums)], way)
        nulls = self.row([f'count(*) FILTER ("{n}" IS NULL) AS a{i}' for i, n in enumerate(names)], way)
        history = self.ask(
            f"SELECT snapshot_id, sequence_number FROM iceberg_snapshots('{self.request['folder']}') ORDER BY 2"
            if way == "path"
            else f"SELECT snapshot_id, sequence_number FROM iceberg_snapshots({self.name}) ORDER BY 2"
        ).to_pylist()
        at = {}
        for snapshot in self.request["snapshots"]:
            found = self.ask(f"SELECT * FROM {self.source(way, snapshot)}")
            at[snapshot] = [found.num_rows, found.column_names]
        return {
            "rows": rows_of(arrow),
            "sums": dict(zip(sums, added)),
            "ranges": {n: [a, b] for n, a, b in zip(ranges, least, greatest)},
            "nulls": {n: int(found) for n, found in zip(names, nulls)},
            "history": [[str(row["snapshot_id"])] for row in history],
            "at": at,
        }

    def write(self):
        namespace = f'c."{self.request["namespace"]}"'
        run = self.connection.execute
        return refusals(
            {
                "insert": lambda: run(f"INSERT INTO {self.name} SELECT * FROM {self.name} LIMIT 1"),
                "delete": lambda: run(f"DELETE FROM {self.name} WHERE N = 1"),
                "alter": lambda: run(f"ALTER TABLE {self.name} DROP COLUMN N"),
                "create": lambda: run(f"CREATE TABLE {namespace}.OTHER (A INT)"),
                "drop": lambda: run(f"DROP TABLE {self.name}"),
                "namespace": lambda: run("CREATE SCHEMA c.OTHER"),
            }
        )


class Spark:
    def __init__(self, request):
        os.environ["TZ"] = "UTC"
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        from pyspark.sql import SparkSession

        self.request = request
        builder = SparkSession.builder.master("local[2]").appName("readers")
        settings = {
            "spark.jars": ",".join(request["jars"]),
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.catalog.c": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.c.type": "rest",
            "spark.sql.catalog.c.uri": request["uri"],
            "spark.sql.catalog.c.warehouse": request["warehouse"],
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        }
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("OFF")
        self.name = f"c.{request['namespace']}.{request['table']}"

    def frame(self, way, snapshot=None, part=""):
        if way == "catalog":
            version = "" if snapshot is None else f" VERSION AS OF {snapshot}"
            return self.spark.sql(f"SELECT * FROM {self.name}{part}{version}")
        reader = self.spark.read.format("iceberg")
        if snapshot is not None:
            reader = reader.option("snapshot-id", snapshot)
        return reader.load(self.request["folder"] + part.replace(".", "#"))

    def read(self, way):
        from pyspark.sql import functions as f

        frame = self.frame(way)
        sums, ranges = self.request["sums"], self.request["ranges"]
        rows = [
            {name: shown(from_spark(value)) for name, value in row.asDict().items()} for row in frame.collect()
        ]
        expressions = (
            [f.sum(n) for n in sums]
            + [f.min(n) for n in ranges]
            + [f.max(n) for n in ranges]
            + [f.count(f.when(f.col(n).isNull(), 1)) for n in frame.columns]
        )
        found = [shown(value) for value in self.frame(way).agg(*expressions).collect()[0]]
        take = lambda count: [found.pop(0) for _ in range(count)]
        added, least, greatest, nulls = take(len(sums)), take(len(ranges)), take(len(ranges)), found
        history = sorted(self.frame(way, part=".snapshots").collect(), key=lambda row: row["committed_at"])
        at = {}
        for snapshot in self.request["snapshots"]:
            old = self.frame(way, snapshot)
            at[snapshot] = [old.count(), old.columns]
        return {
            "rows": sorted(rows, key=lambda row: int(row["N"])),
            "sums": dict(zip(sums, added)),
            "ranges": {n: [a, b] for n, a, b in zip(ranges, least, greatest)},
            "nulls": {n: int(count) for n, count in zip(frame.columns, nulls)},
            "history": [
                [str(row["snapshot_id"]), row["operation"], row["summary"]["total-records"]] for row in history
            ],
            "at": at,
        }

    def write(self):
        namespace = f"c.{self.request['namespace']}"
        run = self.spark.sql
        return refusals(
            {
                "insert": lambda: run(f"INSERT INTO {self.name} SELECT * FROM {self.name} LIMIT 1"),
                "delete": lambda: run(f"DELETE FROM {self.name} WHERE N = 1"),
                "alter": lambda: run(f"ALTER TABLE {self.name} DROP COLUMN N"),
                "create": lambda: run(f"CREATE TABLE {namespace}.OTHER (A INT) USING iceberg"),
                "drop": lambda: run(f"DROP TABLE {self.name}"),
                "namespace": lambda: run("CREATE NAMESPACE c.OTHER"),
            }
        )


ENGINES = {"pyiceberg": PyIceberg, "duckdb": DuckDb, "spark": Spark}


def main():
    engine = ENGINES[sys.argv[1]](json.loads(sys.argv[2]))
    result = {way: engine.read(way) for way in ("path", "catalog")}
    result["writes"] = engine.write()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
