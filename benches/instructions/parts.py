"""The parts: what is counted, in which unit, and how often it is repeated."""

import subprocess
from dataclasses import dataclass

from counting import ENVIRONMENT, concurrently, count_program, gateway
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
    meant = list(rounds())
    without, *totals = concurrently(lambda one: _count_round(binaries, folder, one), [None, *meant])
    for one, total in zip(meant, totals):
        # What only the first of them costs, such as a connection, is spread over all.
        yield one.name, one.unit, (total - without) / (one.times * one.units)


def _count_round(binaries, folder, meant):
    profile = folder / (file_name(meant.name) if meant else "gateway.callgrind")
    database = Database(answers(ROWS))
    try:
        with gateway(profile, binaries.gateway, database.port) as counted:
            database.pause = counted.wait_until_idle
            client = Client(counted)
            for _ in range(WARM_ROUNDS):
                WARM(client)
            for _ in range(meant.times if meant else 0):
                meant.work(client)
            client.close()
    finally:
        database.close()
    return counted.instructions


def count_work(binaries, folder):
    """Parts that need no gateway, in the same form."""
    few, many = 10, 1010
    listed = subprocess.run([binaries.work, "parts"], env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout

    def count(part):
        name, unit, units = part.split("\t")
        profile = folder / file_name(name)
        without = count_program(profile, binaries.work, name, str(few))
        total = count_program(profile, binaries.work, name, str(many))
        return name, unit, (total - without) / ((many - few) * float(units))

    yield from concurrently(count, listed.splitlines())


def file_name(part):
    return part.replace(", ", "-").replace(" ", "-") + ".callgrind"
