"""Measures what Boltgate costs besides time: memory, start, size; and whether its cost per row and per request stays
constant as their number grows.

All of it runs in front of the canned peer, in separate processes.
"""

import http.client
import socket
import statistics
import subprocess
import time

from .contenders import QueryApi, basic
from .measure import Meter
from .processes import clean_environment, free_port
from .stage import boltgate
from .workloads import Workload, scalars

PATH = "/db/neo4j/query/v2"
BODY = b'{"statement":"RETURN 1"}'
RETURN_1 = Workload("return-1", "", "RETURN 1", "1")
SETTLING = 1.0  # seconds to wait before memory is read


def measure(built, cache, meter, canned, quick):
    """All limits, as one object of the results."""
    held, opened, starts, known, largest = (100, 100, 5, 100, 4) if quick else (10_000, 1000, 50, 10_000, 7)
    rounds = 1 if quick else 5
    arguments = (built, cache, canned)
    return {
        "binary_bytes": built.boltgate.stat().st_size,
        "start_ms": start(built, canned, starts),
        "starts": starts,
        "idle_bytes": idle(*arguments),
        "connections": held,
        "connection_bytes": idle_connections(*arguments, held),
        "transactions": opened,
        "transaction_bytes": open_transactions(*arguments, opened),
        "identities": identities(*arguments, meter, known, rounds),
        **rows(*arguments, meter, largest, rounds),
    }


def start(built, canned, times):
    """The median time in milliseconds from the start of the process to its first response."""
    return round(statistics.median(one_start(built, canned) for _ in range(times)), 2)


def one_start(built, canned):
    port = free_port()
    command = [built.boltgate, "serve", "--database-uri", f"bolt://{canned.address}", "--listen", f"127.0.0.1:{port}"]
    began = time.perf_counter()
    child = subprocess.Popen(
        [str(part) for part in command], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=clean_environment()
    )
    try:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 5) as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if connection.recv(12) != b"HTTP/1.1 200":
                        raise SystemExit("Boltgate does not answer GET / with 200")
                return (time.perf_counter() - began) * 1000
            except ConnectionRefusedError:
                if child.poll() is not None:
                    raise SystemExit("Boltgate exited instead of serving") from None
                time.sleep(0.0002)
    finally:
        child.kill()
        child.wait()


def idle(built, cache, canned):
    """The bytes of a process that has served one request."""
    process = boltgate(built, cache, canned.address, "boltgate-idle")
    post(http.client.HTTPConnection("127.0.0.1", process.port, 60), PATH)
    time.sleep(SETTLING)
    size = process.memory()
    process.stop()
    return size


def idle_connections(built, cache, canned, number):
    """The bytes per HTTP connection that has served a request and is kept open."""
    settings = {"BOLTGATE_SERVER__MAX_CONNECTIONS": str(number + 100), "BOLTGATE_SERVER__HEADER_TIMEOUT": "10m"}
    process = boltgate(built, cache, canned.address, "boltgate-connections", settings)

    def hold(_):
        connection = socket.create_connection(("127.0.0.1", process.port), 60)
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
        connection.sendall(head.encode() + BODY)
        if connection.recv(4096)[9:12] != b"202":
            raise SystemExit("a connection to be kept open had a wrong response")
        return connection

    return growth(process, hold, number)


def open_transactions(built, cache, canned, number):
    """The bytes per open explicit transaction, including its connection to the database."""
    settings = {
        "BOLTGATE_TRANSACTIONS__MAX": str(number + 10),
        "BOLTGATE_TRANSACTIONS__CALLER_SHARE": "100",
        "BOLTGATE_TRANSACTIONS__IDLE_TIMEOUT": "10m",
        "BOLTGATE_DATABASE__MAX_CONNECTIONS": str(number + 100),
        "BOLTGATE_DATABASE__CALLER_SHARE": "100",
    }
    process = boltgate(built, cache, canned.address, "boltgate-transactions", settings)
    client = http.client.HTTPConnection("127.0.0.1", process.port, 60)
    return growth(process, lambda _: post(client, f"{PATH}/tx"), number)


def growth(process, add, number):
    """The bytes by which the process grows for each of `number` things. The first ten are warm-up."""
    kept = [add(item) for item in range(10)]
    time.sleep(SETTLING)
    before = process.memory()
    kept += [add(item) for item in range(number)]
    time.sleep(SETTLING)
    grown = process.memory() - before
    process.stop()
    for thing in kept:
        if isinstance(thing, socket.socket):
            thing.close()
    return round(grown / number)


def identities(built, cache, canned, meter, number, rounds):
    """The CPU time of a request when one caller is known, and when many are."""
    settings = {"BOLTGATE_DATABASE__CALLER_SHARE": "100"}
    found = {}
    gateways = {
        known: QueryApi(
            "boltgate", "", boltgate(built, cache, canned.address, f"boltgate-identities-{known}", settings),
            login=("user0", "password"),
        )
        for known in (1, number)
    }
    for known, gateway in gateways.items():
        client = http.client.HTTPConnection("127.0.0.1", gateway.process.port, 60)
        for user in range(known):
            post(client, PATH, basic((f"user{user}", "password")))
    for _ in range(rounds):
        for known, gateway in gateways.items():
            found.setdefault(known, []).append(meter.run(gateway, RETURN_1, connections=64)["cpu_us"])
    for gateway in gateways.values():
        gateway.process.stop()
    return [{"known": known, "cpu_us": round(statistics.median(times), 3)} for known, times in found.items()]


def rows(built, cache, canned, meter, largest, rounds):
    """Time and CPU per row for 10^2 to 10^largest rows without the cost of the request; the memory of the largest."""
    process = boltgate(built, cache, canned.address, "boltgate-rows")
    post(http.client.HTTPConnection("127.0.0.1", process.port, 60), PATH)
    time.sleep(SETTLING)
    idle = process.memory()
    gateway = QueryApi("boltgate", "", process)
    # The request is measured as often as the results, alternating with them.
    sizes = [0] + [10**power for power in range(2, largest + 1)]
    found = {size: [] for size in sizes}
    peak = 0
    for _ in range(rounds):
        for size in sizes:
            workload = Workload(f"rows-{size}", "", scalars(size), "row 1", rows=size) if size else RETURN_1
            once = size >= 1_000_000
            figures = Meter(meter.programs, cache, 0 if once else meter.seconds, 0).run(gateway, workload)
            found[size].append(figures)
            if size == sizes[-1]:
                peak = max(peak, figures["peak_bytes"] - idle)
    process.stop()
    median = {
        size: [statistics.median(run[key] for run in runs) for key in ("cpu_us", "p50_us")] for size, runs in found.items()
    }
    lines = []
    for size in sizes[1:]:
        cpu, whole = (figure - of_request for figure, of_request in zip(median[size], median[0]))
        lines.append({"rows": size, "cpu_ns": round(cpu * 1000 / size, 2), "time_ns": round(whole * 1000 / size, 2)})
    return {"rows": lines, "peak_bytes": peak, "peak_rows": sizes[-1]}


def post(client, path, headers=()):
    """Sends `RETURN 1` over a keep-alive connection."""
    fields = {"Content-Type": "application/json", **dict(header.split(": ", 1) for header in headers)}
    client.request("POST", path, BODY, fields)
    response = client.getresponse()
    text = response.read()
    if response.status != 202:
        raise SystemExit(f"{path}: {response.status} {text.decode()}")
