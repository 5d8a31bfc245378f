"""Boltgate in front of real servers, next to their own HTTP interfaces.

The servers are those of tests/servers/all, whose environment variables contain their addresses.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from urllib.parse import urlsplit

from . import rounds
from .build import REPOSITORY
from .contenders import ArcadeDb, OnBolt, QueryApi
from .processes import Existing
from .stage import boltgate
from .workloads import person

ARCADEDB_LOGIN = ("root", "playwithdata")
NODES = 1000  # at least; more if a workload reads more
BATCH = 5000  # nodes created or removed at a time


class Database:
    """A Bolt server with the nodes that the workloads read."""

    def __init__(self, meter, address, login):
        self.meter = meter
        self.address = address
        self.login = login

    def run(self, statement, parameters=None):
        file = self.meter.scratch / "parameters.json"
        file.write_text(json.dumps(parameters or {}))
        command = [self.meter.programs / "raw", self.address, "--once", "--statement", statement, "--parameters", file]
        if self.login:
            command += ["--user", self.login[0], "--password", self.login[1]]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{self.address}: {statement[:60]}: {done.stderr.strip()}")
        return int(done.stdout.split()[0])

    def fill(self, nodes):
        self.empty("Bench")
        self.empty("BenchWrite")
        self.run("CREATE INDEX bench_id IF NOT EXISTS FOR (n:Bench) ON (n.id)")
        for first in range(0, nodes, BATCH):
            rows = [person(row) for row in range(first, min(first + BATCH, nodes))]
            self.run("UNWIND $rows AS row CREATE (n:Bench) SET n = row", {"rows": rows})

    def empty(self, label):
        while self.run(f"MATCH (n:{label}) WITH n LIMIT {BATCH} DETACH DELETE n RETURN 1"):
            pass


def measure(arguments, meter, built, cache, workloads, results):
    """Adds the figures of each server, the contenders' titles, and failures."""
    for name, stage in (("neo4j", neo4j), ("arcadedb", arcadedb)):
        bolt, http = (os.environ.get(f"BOLTGATE_TEST_{name.upper()}_{kind}") for kind in ("BOLT", "HTTP"))
        if not bolt or not http:
            raise SystemExit(
                'no servers: run  eval "$(tests/servers/neo4j start --full-speed; tests/servers/arcadedb start)"  first, '
                "or leave --with-servers out"
            )
        database, contenders = stage(meter, built, cache, urlsplit(bolt).netloc, urlsplit(http).port)
        results["titles"] |= {contender.name: contender.title for contender in contenders}
        cells = [for_servers(workload) for workload in workloads]

        def tidy():
            database.empty("BenchWrite")

        try:
            print(f"filling {name}", file=sys.stderr)
            database.fill(max(NODES, *(workload.rows for workload in workloads)))
            # The first round warms up the server's compiler and is discarded.
            rounds.measure(meter, cells, contenders, 1, arguments.seed, tidy)
            results[name], failures = rounds.measure(meter, cells, contenders, arguments.rounds, arguments.seed, tidy)
            results["failures"] += failures
        finally:
            tidy()
            database.empty("Bench")


def for_servers(workload):
    """Large results and writes use one connection, because the server's memory and locks are not being compared."""
    return replace(workload, connections=(1,)) if workload.is_large or workload.writes else workload


def neo4j(meter, built, cache, bolt, http_port):
    gateway = boltgate(built, cache, bolt, "boltgate-neo4j")
    return Database(meter, bolt, None), [
        QueryApi("boltgate", "Boltgate", gateway, batches=True),
        QueryApi("query-api", "Neo4j's Query API", Existing("neo4j", http_port)),
        OnBolt("driver", "neo4rs on Bolt", None, program="driver", address=bolt),
        OnBolt("raw", "raw Bolt client", None, address=bolt),
    ]


def arcadedb(meter, built, cache, bolt, http_port):
    login = ARCADEDB_LOGIN
    gateway = boltgate(built, cache, bolt, "boltgate-arcadedb")
    return Database(meter, bolt, login), [
        QueryApi("boltgate", "Boltgate", gateway, login=login, batches=True),
        ArcadeDb("arcadedb-http", "ArcadeDB's HTTP API", Existing("arcadedb", http_port), login=login),
        OnBolt("driver", "neo4rs on Bolt", None, program="driver", address=bolt, login=login),
        OnBolt("raw", "raw Bolt client", None, address=bolt, login=login),
    ]
