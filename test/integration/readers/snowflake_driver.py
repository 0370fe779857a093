"""The Python connector against an endpoint: python snowflake_driver.py PORT KEY_FILE. Prints `ok NAME` lines."""
import datetime
import decimal
import json
import sys

import snowflake.connector
from cryptography.hazmat.primitives import serialization

port, key_file = sys.argv[1], sys.argv[2]
with open(key_file, "rb") as file:
    key = serialization.load_pem_private_key(file.read(), password=None)
der = key.private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
connection = snowflake.connector.connect(
    account="local", user="ME", private_key=der, host="127.0.0.1", port=port, protocol="http",
    session_parameters={"TIMEZONE": "America/New_York"},
)
cursor = connection.cursor()


def check(name, got, expected):
    assert got == expected, f"{name}: expected {expected!r}, got {got!r}"
    print(f"ok {name}")


cursor.execute("create database if not exists py")
cursor.execute("create schema if not exists py.s")
cursor.execute("create or replace iceberg table py.s.t (id int, name string, tags array(string)) comment = 'c'")
cursor.execute("create or replace view v as select id, name from t")
check("show", [row[1] for row in cursor.execute("show tables in schema py.s")], ["T"])
check("describe", [row[0] for row in cursor.execute("describe table t")], ["ID", "NAME", "TAGS"])
check("view", cursor.execute("select count(*) from v").fetchone(), (0,))
row = cursor.execute(
    "select 42, 1.50, 12345678901234567890123456789012345678, 0.5::float, 'Zürich ☂', true, null,"
    " '2024-02-29'::date, '10:20:30.123456'::time, '2024-01-31 10:20:30.123456'::timestamp_ntz,"
    " '2024-01-31T10:20:30Z'::timestamp_ltz, to_timestamp_tz('2024-01-31 10:20:30 +0530'),"
    " to_binary('CAFE'), parse_json('{\"b\":[1,null],\"a\":\"x\"}')"
).fetchone()
check("fixed", row[:3], (42, decimal.Decimal("1.50"), 12345678901234567890123456789012345678))
check("real, text, boolean, null", row[3:7], (0.5, "Zürich ☂", True, None))
check("date and time", row[7:9], (datetime.date(2024, 2, 29), datetime.time(10, 20, 30, 123456)))
check("timestamp_ntz", row[9], datetime.datetime(2024, 1, 31, 10, 20, 30, 123456))
utc = datetime.timezone.utc
check("timestamp_ltz", row[10].astimezone(utc), datetime.datetime(2024, 1, 31, 10, 20, 30, tzinfo=utc))
check("timestamp_ltz zone", row[10].utcoffset(), datetime.timedelta(hours=-5))
check("timestamp_tz", (row[11].isoformat()), "2024-01-31T10:20:30+05:30")
check("binary", bytes(row[12]), b"\xca\xfe")
check("variant", json.loads(row[13]), {"a": "x", "b": [1, None]})
flat = cursor.execute("select f.index, f.value::int from table(flatten(input => parse_json('[5,6]'))) f order by 1")
check("flatten", flat.fetchall(), [(0, 5), (1, 6)])
check("pyformat binds", cursor.execute("select %s, %s", (7, "o'clock")).fetchone(), (7, "o'clock"))
try:
    cursor.execute("select * from nope")
except snowflake.connector.errors.ProgrammingError as error:
    check("error code", (error.errno, error.sqlstate), (2003, "42S02"))
cursor.execute_async("select 1 + 1")
cursor.get_results_from_sfqid(cursor.sfqid)
check("async", cursor.fetchall(), [(2,)])
statements = list(connection.execute_string("select 1; select 'a;b';"))
check("several statements", [c.fetchone() for c in statements], [(1,), ("a;b",)])
cursor.execute("select 1; select 2", num_statements=2)
first = cursor.fetchall()
cursor.nextset()
check("multi-statement", (first, cursor.fetchall()), ([(1,)], [(2,)]))
cursor.executemany("select %s", [(1,)])
connection.close()
print("ok closed")
snowflake.connector.paramstyle = "qmark"
connection = snowflake.connector.connect(
    account="local", user="ME", private_key=der, host="127.0.0.1", port=port, protocol="http",
)
cursor = connection.cursor()
row = cursor.execute(
    "select ?, ?, ?, ?, ?", (7, "o'clock", None, True, datetime.date(2024, 2, 29))
).fetchone()
check("server-side binds", row, (7, "o'clock", None, True, datetime.date(2024, 2, 29)))
connection.close()
print("done")
