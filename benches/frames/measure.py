"""Measures how long a result takes until it is a data frame, by several ways from the same Neo4j.

    measure.py GATEWAY-URL NEO4J-BOLT-URL ROWS ROUNDS
"""

import json
import os
import statistics
import sys
import time
import urllib.request

import neo4j
import pandas
import polars
import pyarrow.ipc

GATEWAY, BOLT, ROWS, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
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


def drained_by_neo4j():
    """How long Neo4j itself takes: the same expressions for each row, and one row to send."""
    with driver.session() as session:
        statement = STATEMENT.replace("RETURN", "WITH") + " RETURN sum(n), sum(half), max(name), max(even)"
        session.run(statement).consume()


WAYS = [
    ("Arrow over HTTP, pandas", arrow_to_pandas),
    ("Arrow over HTTP, Polars", arrow_to_polars),
    ("JSON over HTTP, `json`, pandas", json_to_pandas),
    ("Python driver over Bolt, `Result.to_df()`", driver_to_df),
    ("Python driver over Bolt, `Result.values()`, pandas", driver_values),
    ("Neo4j alone, one row to send", drained_by_neo4j),
]

with neo4j.GraphDatabase.driver(BOLT, auth=("neo4j", "none")) as driver:
    times = {name: [] for name, _ in WAYS}
    processor = {name: [] for name, _ in WAYS}
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
