"""Drives Snowflake's own streaming SDK by lines of JSON: one command in, one answer out.

A command is {"op": NAME, ...}; the answer {"ok": VALUE} or {"error": {"name": ..., "status": ...}}.
"""
import json
import sys
import time

from snowflake.ingest.streaming import StreamingIngestClient

clients = {}
channels = {}


def view(status):
    return {
        "code": status.status_code,
        "committed": status.latest_committed_offset_token,
        "inserted": status.rows_inserted_count,
        "parsed": status.rows_parsed_count,
        "errors": status.rows_error_count,
        "last_error": status.last_error_message,
        "last_error_bound": status.last_error_offset_token_upper_bound,
    }


def client(c):
    clients[c["client"]] = StreamingIngestClient(
        client_name=c["client"],
        db_name=c["database"],
        schema_name=c["schema"],
        pipe_name=c["pipe"],
        properties=c["properties"],
    )
    return True


def open_channels(c):
    result = {}
    for name in c["channels"]:
        channel, status = clients[c["client"]].open_channel(name, c.get("offset_token"))
        channels[(c["client"], name)] = channel
        result[name] = view(status)
    return result


def append(c):
    """Rows {"C": channel, "N": n, "PAD": text} for n in [start, end], one append for every `each` rows."""
    each = c.get("each", 1000)
    for name in c["channels"]:
        channel = channels[(c["client"], name)]
        for low in range(c["start"], c["end"] + 1, each):
            high = min(low + each - 1, c["end"])
            rows = [{"C": name, "N": n, "PAD": c.get("pad", "")} for n in range(low, high + 1)]
            channel.append_rows(rows, str(low), str(high))
    return True


def append_raw(c):
    channels[(c["client"], c["channel"])].append_rows(c["rows"], c["start"], c["end"])
    return True


def flush(c):
    clients[c["client"]].wait_for_flush(timeout_seconds=c.get("timeout", 30))
    return True


def commit(c):
    for name in c["channels"]:
        channels[(c["client"], name)].wait_for_commit(
            lambda token: token == c["token"], timeout_seconds=c.get("timeout", 30)
        )
    return True


def commit_all(c):
    """As `commit` for many channels: one after the other they would take a second each."""
    deadline = time.monotonic() + c.get("timeout", 30)
    while True:
        tokens = clients[c["client"]].get_latest_committed_offset_tokens(c["channels"])
        if all(tokens.get(name) == c["token"] for name in c["channels"]):
            return True
        if time.monotonic() > deadline:
            raise TimeoutError(f"not committed: {tokens}")
        time.sleep(0.2)


def status(c):
    statuses = clients[c["client"]].get_channel_statuses(c["channels"])
    return {name: view(value) for name, value in statuses.items()}


def committed(c):
    return clients[c["client"]].get_latest_committed_offset_tokens(c["channels"])


def close_channel(c):
    channels[(c["client"], c["channel"])].close(wait_for_flush=c.get("wait", False))
    return True


def drop(c):
    clients[c["client"]].drop_channel(c["channel"])
    return True


def close(c):
    clients.pop(c["client"]).close(wait_for_flush=c.get("wait", False), timeout_seconds=10)
    return True


OPS = {
    "client": client,
    "open": open_channels,
    "append": append,
    "append_raw": append_raw,
    "flush": flush,
    "commit": commit,
    "commit_all": commit_all,
    "status": status,
    "committed": committed,
    "close_channel": close_channel,
    "drop": drop,
    "close": close,
}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = {"ok": OPS[command["op"]](command)}
    except Exception as error:  # every failure of the SDK is an answer
        answer = {
            "error": {
                "name": getattr(error, "error_code_name", None) or type(error).__name__,
                "status": getattr(error, "http_status_code", None),
                "text": str(error),
            }
        }
    print(json.dumps(answer, default=str), flush=True)
