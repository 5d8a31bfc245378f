"""The parts: what is counted, in which unit, and how often it is repeated."""

import subprocess
from dataclasses import dataclass

from counting import ENVIRONMENT, count_program, gateway
from database import Database
from workloads import (
    BASIC, JSON, LINES, NODES_25, POINT_READ, RETURN_1, TYPED, TYPED_LINES, Client, answers, batch, result, statement,
    transaction, write_1000,
)

# The numbers of rows in large results. Rows of strings are wide.
ROWS = {"scalars": 100_000, "nodes": 100_000, "strings": 10_000}
# Requests before the count, because the first ones are not typical.
WARM, WARM_ROUNDS = statement(RETURN_1), 5


@dataclass
class Binaries:
    """The programs built from one commit."""

    gateway: str
    work: str


@dataclass
class Round:
    """Work for the whole gateway."""

    name: str
    unit: str
    work: object  # A function that takes a client.
    times: int
    units: int = 1


def rounds():
    yield from (
        _request("RETURN 1", statement(RETURN_1)),
        _request("RETURN 1, Basic", statement(RETURN_1, authorization=BASIC)),
        _request("point read", statement(POINT_READ, {"id": 4711})),
        _request("point read, Basic", statement(POINT_READ, {"id": 4711}, authorization=BASIC)),
        _request("25 nodes", statement(NODES_25), 100),
        _request("write of 1000 rows", write_1000(), 20),
        _request("transaction of 3 statements", transaction, 200, "transaction"),
        _request("batch of 10 statements", batch, 200, "batch"),
    )
    for shape, accept, name in (
        ("scalars", JSON, "document, plain"),
        ("scalars", TYPED, "document, typed"),
        ("scalars", LINES, "lines, plain"),
        ("scalars", TYPED_LINES, "lines, typed"),
        ("nodes", JSON, "document, plain"),
        ("nodes", TYPED, "document, typed"),
        ("strings", JSON, "document, plain"),
    ):
        rows = ROWS[shape]
        yield Round(f"result of {rows} {shape}, {name}", "row", result(shape, rows, accept), 1, rows)


def _request(name, work, times=1000, unit="request"):
    return Round(name, unit, work, times)


def count_gateway(binaries, folder):
    """Parts that need a gateway: name, unit, and instructions per unit."""
    database = Database(answers(ROWS))
    try:
        without = _count_round(binaries, folder / "gateway.callgrind", database, None)
        for meant in rounds():
            # What only the first of them costs, such as a connection, is spread over all.
            total = _count_round(binaries, folder / file_name(meant.name), database, meant)
            yield meant.name, meant.unit, (total - without) / (meant.times * meant.units)
    finally:
        database.close()


def _count_round(binaries, profile, database, meant):
    with gateway(profile, binaries.gateway, database.port) as counted:
        database.pause = counted.wait_until_idle
        client = Client(counted)
        for _ in range(WARM_ROUNDS):
            WARM(client)
        for _ in range(meant.times if meant else 0):
            meant.work(client)
        client.close()
    return counted.instructions


def count_work(binaries, folder):
    """Parts that need no gateway, in the same form."""
    few, many = 10, 1010
    listed = subprocess.run([binaries.work, "parts"], env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout
    for name, unit, units in (line.split("\t") for line in listed.splitlines()):
        profile = folder / file_name(name)
        without = count_program(profile, binaries.work, name, str(few))
        total = count_program(profile, binaries.work, name, str(many))
        yield name, unit, (total - without) / ((many - few) * float(units))


def file_name(part):
    return part.replace(", ", "-").replace(" ", "-") + ".callgrind"
