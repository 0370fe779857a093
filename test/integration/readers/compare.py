"""Compares two files of JSON lines field by field, as multisets: order does not matter, number of copies does.

    compare.py EXPECTED.jsonl ACTUAL.jsonl [--columns a,b] [--key record_key,feed_timestamp]

Without --columns all columns of the first expected row are compared. Rows with the same --key are paired to
show which fields differ. A column that a row lacks counts as null; 1 and 1.0 are equal. Ends with
`N equal, N missing, N extra` and exit code 1 when any is missing or extra.
"""

import argparse
import collections
import itertools
import json
import sys

SHOWN_MAX = 5
DEFAULT_KEY = "record_key,feed_timestamp"


def rows(path):
    with open(path, encoding="utf8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def canonical(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    return value


def as_text(row, columns):
    values = [canonical(row.get(column)) for column in columns]
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def show(missing, extra, columns, key):
    """Pairs what is missing with what is there instead, by key."""
    at = [columns.index(name) for name in key if name in columns]
    by_key = collections.defaultdict(list)
    for text in extra.elements():
        values = json.loads(text)
        by_key[json.dumps([values[i] for i in at])].append(values)
    for text in itertools.islice(missing.elements(), SHOWN_MAX):
        values = json.loads(text)
        others = by_key.get(json.dumps([values[i] for i in at])) if at else None
        print("missing", dict(zip(columns, values)) if not others else [values[i] for i in at])
        for name, expected, got in zip(columns, values, others.pop() if others else values):
            if expected != got:
                print(f"  {name}: expected {expected!r}, got {got!r}")
    left = [values for values_of_key in by_key.values() for values in values_of_key]
    for values in left[: SHOWN_MAX if sum(missing.values()) < SHOWN_MAX else 0]:
        print("extra", dict(zip(columns, values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("expected")
    parser.add_argument("actual")
    parser.add_argument("--columns")
    parser.add_argument("--key", default=DEFAULT_KEY)
    options = parser.parse_args()
    expected, actual = list(rows(options.expected)), list(rows(options.actual))
    columns = options.columns.split(",") if options.columns else list(expected[0] if expected else {})
    want = collections.Counter(as_text(row, columns) for row in expected)
    have = collections.Counter(as_text(row, columns) for row in actual)
    missing, extra = want - have, have - want
    show(missing, extra, columns, options.key.split(","))
    equal = sum((want & have).values())
    print(f"{equal} equal, {sum(missing.values())} missing, {sum(extra.values())} extra")
    if expected and not columns:
        sys.exit("compare: no columns to compare")
    sys.exit(1 if missing or extra else 0)


if __name__ == "__main__":
    main()
