"""Measures how long a result takes until it is a data frame, by several ways from the same Neo4j.

    measure.py GATEWAY-URL NEO4J-BOLT-URL ROWS ROUNDS
"""

import json
import os
import socket
import statistics
import struct
import sys
import time
import urllib.request

import neo4j
import pandas
import polars
import pyarrow.ipc

GATEWAY, BOLT, ROWS, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
WARM_UP = 5
# Of messages in Bolt: how a SUCCESS begins, and the chunk without content that ends each.
SUCCESS, END = b"\xb1\x70", b"\0\0"
STATEMENT = f"UNWIND range(1, {ROWS}) AS n RETURN n, n * 0.5 AS half, 'name ' + n AS name, n % 2 = 0 AS even"


def over_http(accept):
    request = urllib.request.Request(
        f"{GATEWAY}/db/neo4j/query/v2",
        data=json.dumps({"statement": STATEMENT}).encode(),
        headers={"Content-Type": "application/json", "Accept": accept},
    )
    return urllib.request.urlopen(request)


def arrow_to_pandas():
    with over_http("application/vnd.apache.arrow.stream") as response:
        return pyarrow.ipc.open_stream(response).read_all().to_pandas()


def arrow_to_polars():
    with over_http("application/vnd.apache.arrow.stream") as response:
        return polars.read_ipc_stream(response.read())


def json_to_pandas():
    with over_http("application/json") as response:
        data = json.load(response)["data"]
        return pandas.DataFrame(data["values"], columns=data["fields"])


def driver_to_df():
    with driver.session() as session:
        return session.run(STATEMENT).to_df()


def driver_values():
    with driver.session() as session:
        result = session.run(STATEMENT)
        return pandas.DataFrame(result.values(), columns=result.keys())


def neo4j_alone():
    """How long Neo4j takes to send the rows to a client that does not look at them: no way is faster."""
    host, port = BOLT.removeprefix("bolt://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        # Bolt 5.4 or nothing.
        connection.sendall(bytes.fromhex("6060b017 00000405 00000000 00000000 00000000"))
        assert connection.recv(4, socket.MSG_WAITALL) == bytes.fromhex("00000405")
        hello = b"\xb1\x01\xa2" + text("user_agent") + text("measure/1")
        hello += text("bolt_agent") + b"\xa1" + text("product") + text("measure/1")
        logon = b"\xb1\x6a\xa1" + text("scheme") + text("none")
        send(connection, hello, logon)
        replies = b""
        while replies.count(SUCCESS) < 2 or not replies.endswith(END):
            replies += connection.recv(1024)
        send(connection, b"\xb3\x10" + text(STATEMENT) + b"\xa0\xa0", b"\xb1\x3f\xa1" + text("n") + b"\xff")
        # The summary of the rows comes last.
        buffer, end = bytearray(1024 * 1024), b""
        while not (b"t_last" in end and end.endswith(END)):
            size = connection.recv_into(buffer)
            assert size, end
            end = (end + buffer[max(0, size - 1024) : size])[-1024:]
        assert SUCCESS in end, end


def send(connection, *messages):
    connection.sendall(b"".join(struct.pack(">H", len(message)) + message + END for message in messages))


def text(value):
    """A string in PackStream."""
    return struct.pack(">BH", 0xD1, len(value)) + value.encode()


WAYS = [
    ("Arrow over HTTP, pandas", arrow_to_pandas),
    ("Arrow over HTTP, Polars", arrow_to_polars),
    ("JSON over HTTP, `json`, pandas", json_to_pandas),
    ("Python driver over Bolt, `Result.to_df()`", driver_to_df),
    ("Python driver over Bolt, `Result.values()`, pandas", driver_values),
    ("Neo4j's rows over Bolt, not looked at", neo4j_alone),
]

with neo4j.GraphDatabase.driver(BOLT, auth=("neo4j", "none")) as driver:
    times = {name: [] for name, _ in WAYS}
    processor = {name: [] for name, _ in WAYS}
    # The database's compiler takes its time.
    for _ in range(WARM_UP):
        neo4j_alone()
    for _ in range(ROUNDS):
        for name, way in WAYS:
            began, used = time.perf_counter(), time.process_time()
            frame = way()
            times[name].append(time.perf_counter() - began)
            processor[name].append(time.process_time() - used)
            assert frame is None or len(frame) == ROWS, name
            del frame

print(f"{ROWS} rows of an integer, a float, a text and a Boolean; medians of {ROUNDS} round(s); load {os.getloadavg()[0]:.1f}.\n")
print("| way | seconds | CPU seconds of Python | times as long as Arrow into pandas |")
print("|---|--:|--:|--:|")
base = statistics.median(times[WAYS[0][0]])
for name, _ in WAYS:
    median = statistics.median(times[name])
    print(f"| {name} | {median:.2f} | {statistics.median(processor[name]):.2f} | {median / base:.1f} |")
