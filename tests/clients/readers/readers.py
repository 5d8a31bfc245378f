"""Answers in CSV, NDJSON and as graphs, read by programs that people use, against typed JSON of the same statement.

Run by run-readers: readers.py GATEWAY-BINARY TARGET, with the target embedded or neo4j. Each check is a line, "ok - …" or
"not ok - …".
"""

import csv
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import broken_off
import statements
from gateway import Gateway
from plain import elements, is_cell, plain, rounded

HERE = Path(__file__).parent
CSV = "text/csv"
NDJSON = "application/x-ndjson"
GRAPH = "application/vnd.boltgate.graph+json"
MANY = 2_000_000
# An answer in flight takes some memory; two million rows are at least ten times as long.
MOST_GROWTH = 24 * 2**20

failed = False


def check(name, action, *arguments):
    global failed
    try:
        action(*arguments)
        print(f"ok - {name}", flush=True)
    except Exception as error:  # noqa: BLE001: it is told, and the next check runs.
        failed = True
        print(f"not ok - {name}: {type(error).__name__}: {str(error)[:2000]}", flush=True)


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: expected {expected!r}, found {found!r}")


def csv_is_the_same(gateway, statement):
    fields, values = gateway.typed(statement)
    text = gateway.text(CSV, statement)
    records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if not fields:
        return same(records, [], "records")
    same(records[0], fields, "names")
    same(len(records) - 1, len(values), "number of records")
    for record, row in zip(records[1:], values):
        same(len(record), len(row), "number of cells")
        for name, cell, value in zip(fields, record, row):
            if not is_cell(cell, plain(value)):
                raise AssertionError(f"{name}: {cell!r} stands for {plain(value)!r}")


def ndjson_is_the_same(gateway, statement):
    fields, values = gateway.typed(statement)
    # jq has no numbers but doubles.
    jq = subprocess.run(
        ["jq", "--compact-output", "[., keys_unsorted]"],
        input=gateway.text(NDJSON, statement), capture_output=True, text=True, check=True, timeout=120,
    )
    rows = [json.loads(line) for line in jq.stdout.split("\n") if line]
    same(len(rows), len(values) if fields else 0, "number of rows")
    for (row, keys), expected in zip(rows, values):
        same(keys, fields, "names")
        same(rounded(list(row.values())), rounded([plain(value) for value in expected]), "values")


def graph_is_the_same(gateway, statement):
    _, values = gateway.typed(statement)
    nodes, relationships = {}, {}
    for row in values:
        for value in row:
            elements(value, nodes, relationships)
    graph = json.loads(gateway.text(GRAPH, statement))
    same(graph["rows"], len(values), "number of rows")
    held = [node for node in graph["nodes"] if "partial" not in node]
    same(held, list(nodes.values()), "nodes")
    same(graph["relationships"], list(relationships.values()), "relationships")
    ends = {end for one in relationships.values() for end in (one["startNodeElementId"], one["endNodeElementId"])}
    added = [node["elementId"] for node in graph["nodes"] if "partial" in node]
    same(set(added), ends - set(nodes), "ends")
    same(len(added), len(set(added)), "each end once")


def cytoscape_draws_the_same(gateway, statement):
    _, values = gateway.typed(statement)
    nodes, relationships = {}, {}
    for row in values:
        for value in row:
            elements(value, nodes, relationships)
    drawn = json.loads(run_node("cytoscape.mjs", gateway.text(f"{GRAPH};shape=cytoscape", statement)))
    expected_nodes = {
        key: {"labels": node["labels"], "properties": rounded(node["properties"]), "classes": classes(node["labels"])}
        for key, node in nodes.items()
    }
    held = {key: node for key, node in drawn["nodes"].items() if not node.pop("partial")}
    same(rounded(held), expected_nodes, "nodes")
    expected_edges = {
        key: {
            "source": one["startNodeElementId"],
            "target": one["endNodeElementId"],
            "type": one["type"],
            "properties": rounded(one["properties"]),
            "classes": [one["type"]],
        }
        for key, one in relationships.items()
    }
    same(rounded(drawn["edges"]), expected_edges, "edges")


def classes(labels):
    return sorted({word for label in labels for word in label.split()})


def run_node(program, text):
    return subprocess.run(["node", HERE / program], input=text, capture_output=True, text=True, check=True, timeout=120).stdout


def memory_is_flat(gateway, accept, statement, rows):
    """The rows arrive, and the gateway takes hardly more memory than for a thousand."""
    with gateway.open(accept, statement.replace(str(rows), "1000")) as answer:
        answer.read()
    gateway.forget_peak()
    before, length, lines, last = gateway.peak(), 0, 0, b""
    with gateway.open(accept, statement) as answer:
        while part := answer.read(1 << 20):
            length, lines, last = length + len(part), lines + part.count(b"\n"), part[-1000:]
    grown = gateway.peak() - before
    print(f"# {accept}: {rows} rows, {length} bytes, memory grew by {grown >> 10} KiB from {before >> 10} KiB")
    if accept == GRAPH:
        same(f'"rows":{rows}'.encode() in last, True, "number of rows")
    else:
        same(lines, rows + (accept == CSV), "number of lines")
        if length < 10 * MOST_GROWTH:
            raise AssertionError("the answer is too short to show anything")
    if grown > MOST_GROWTH:
        raise AssertionError(f"memory grew by {grown} bytes")


def many_rows():
    text = "x" * 120
    rows = f"UNWIND range(1, {MANY}) AS i RETURN i, '{text}' AS text"
    drawn = f"MATCH p = (:{statements.LABEL})-[r {{since: 1.5}}]->() UNWIND range(1, {MANY}) AS i RETURN p, i"
    return [(CSV, rows), (NDJSON, rows), (GRAPH, drawn)]


def main(program, target):
    with Gateway(program, target) as gateway, tempfile.TemporaryDirectory() as folder:
        gateway.typed(statements.DELETE)
        gateway.typed(statements.CREATE)
        readers = [
            ("Python's csv", csv_is_the_same),
            ("jq", ndjson_is_the_same),
            ("the lists of a graph", graph_is_the_same),
            ("Cytoscape", cytoscape_draws_the_same),
        ]
        for name, statement in statements.statements(target):
            for reader, action in readers:
                check(f"{target}: {reader}: {name}", action, gateway, statement)
        # The embedded engine has a whole result before its first row leaves.
        for accept, statement in many_rows() if target == statements.NEO4J else []:
            check(f"{target}: {MANY} rows in flat memory: {accept}", memory_is_flat, gateway, accept, statement, MANY)
        gateway.typed(statements.DELETE)
        with Gateway(program, target, {"BOLTGATE_LIMITS__RESULT_BYTES": "1MiB"}) as limited:
            for accept in (CSV, NDJSON):
                for reader, action in broken_off.readers(limited, accept, Path(folder)):
                    check(f"{target}: {accept} that breaks off: {reader} fails", action)
    sys.exit(failed)


main(*sys.argv[1:])
