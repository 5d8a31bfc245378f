"""The goals, and whether the measured figures meet them."""

from dataclasses import dataclass

MIB = 1024 * 1024
FLAT = 1.25  # the highest over the lowest cost, where a cost should not grow
RAW_BOLT = "raw Bolt client"
QUERY_API = "Neo4j's Query API"


@dataclass
class Verdict:
    """A line of the table of goals."""

    measure: str
    against: str  # what the figure is relative to; empty if it is absolute
    goal: str
    measured: str
    met: bool


class Table:
    """The results, by what was measured."""

    def __init__(self, results):
        self.results = results
        self.index = {
            (stage, line["workload"], line["contender"], line["connections"], line["format"]): line
            for stage in ("canned", "neo4j", "arcadedb")
            for line in results.get(stage, ())
        }

    def get(self, figure, stage, workload, contender, connections, form="plain"):
        line = self.index.get((stage, workload, contender, connections, form))
        return line.get(figure) if line else None

    def title(self, contender):
        return self.results["titles"].get(contender, contender)


def verdicts(results):
    """Every goal for which there are figures. `cargo bench` measures the goals for parts."""
    table = Table(results)
    lines = [*bare(table), *gateways(table), *rows(table), *query_api(table), *large(table, "neo4j"), *limits(results.get("limits"))]
    return [line for line in lines if line]


def ratio(measure, against, above, below, goal, least=True):
    """The verdict on `above` divided by `below`; None if one of them is missing."""
    if not above or not below:
        return None
    value = above / below
    sign, met = ("≥", value >= goal) if least else ("≤", value <= goal)
    return Verdict(measure, against, f"{sign} {goal:g} ×", f"{value:.2f} ×", met)


def bare(table):
    def figure(name, contender, connections):
        return table.get(name, "canned", "return-1", contender, connections)

    yield ratio(
        "CPU time per `RETURN 1`, 64 connections", "bare axum handler", figure("cpu_us", "boltgate", 64),
        figure("cpu_us", "bare", 64), 2.0, least=False,
    )
    yield ratio(
        "requests/s of `RETURN 1`, 64 connections", "bare axum handler",
        figure("throughput", "boltgate", 64), figure("throughput", "bare", 64), 0.5,
    )
    hops = [figure("p50_us", contender, 1) for contender in ("bare", "raw")]
    if all(hops):
        yield ratio(
            "median time of `RETURN 1`, 1 connection", "bare axum handler plus raw Bolt client",
            figure("p50_us", "boltgate", 1), sum(hops), 1.15, least=False,
        )


def gateways(table):
    for contender, goal in (("fastapi", 40), ("express", 25), ("neo4rs", 2.5)):
        yield ratio(
            "`RETURN 1` per second of gateway CPU, 64 connections", table.title(contender),
            table.get("cpu_us", "canned", "return-1", contender, 64),
            table.get("cpu_us", "canned", "return-1", "boltgate", 64), goal,
        )


def rows(table):
    """Transcoding with everything around it, in the gateway and in the canned peer."""
    for workload, goal in (("nodes", 5), ("scalars", 10)):
        yield ratio(
            f"{table.results['workloads'].get(workload, workload)} per second of gateway CPU", table.title("neo4rs"),
            table.get("cpu_us", "canned", workload, "neo4rs", 1),
            table.get("cpu_us", "canned", workload, "boltgate", 1), goal,
        )


def query_api(table):
    for workload, title in (("return-1", "`RETURN 1`"), ("point-read", "point read")):
        for connections, goal in ((64, 3.0), (1, 1.2)):
            yield ratio(
                f"requests/s of {title}, {connections} connection{'s' * (connections > 1)}", QUERY_API,
                table.get("throughput", "neo4j", workload, "boltgate", connections),
                table.get("throughput", "neo4j", workload, "query-api", connections), goal,
            )


def large(table, stage):
    for workload in ("scalars", "nodes"):
        title = table.results["workloads"].get(workload, workload)
        times = {
            contender: table.get("p50_us", stage, workload, contender, 1) for contender in ("boltgate", "raw", "query-api")
        }
        measure = f"time of {title} from Neo4j"
        yield ratio(measure, RAW_BOLT, times["boltgate"], times["raw"], 1.15, least=False)
        yield ratio(measure, QUERY_API, times["boltgate"], times["query-api"], 0.67, least=False)
        ours, theirs = (table.get("first_byte_us", stage, workload, name, 1) for name in ("boltgate", "query-api"))
        if ours and theirs:
            measured = f"{ours / 1000:.1f} ms against {theirs / 1000:.1f} ms"
            yield Verdict(f"first byte of {title} from Neo4j", QUERY_API, "earlier", measured, ours < theirs)


def limits(found):
    if not found:
        return
    yield most(f"peak memory above idle, {spaced(found['peak_rows'])} rows", found["peak_bytes"], 16)
    yield most_kib(f"memory per idle HTTP connection, {spaced(found['connections'])} of them", found["connection_bytes"], 12)
    yield most_kib(f"memory per open transaction, {spaced(found['transactions'])} of them", found["transaction_bytes"], 64)
    yield most("memory when idle", found["idle_bytes"], 12)
    start = found["start_ms"]
    yield Verdict(f"start until the first response, median of {found['starts']}", "", "≤ 50 ms", f"{start:.1f} ms", start <= 50)
    yield most("binary without the embedded database", found["binary_bytes"], 15)
    costs = [line["cpu_ns"] for line in found["rows"]]
    sizes = [spaced(line["rows"]) for line in found["rows"]]
    yield Verdict(
        f"highest CPU time per row, {sizes[0]} to {sizes[-1]} rows", "lowest", f"≤ {FLAT} ×",
        f"{max(costs) / max(min(costs), 0.01):.2f} ×", max(costs) <= FLAT * min(costs),
    )
    one, many = found["identities"]
    yield ratio(
        f"CPU time per request, {spaced(many['known'])} known callers", "1 known caller", many["cpu_us"],
        one["cpu_us"], FLAT, least=False,
    )


def most(measure, size, mib):
    return Verdict(measure, "", f"≤ {mib} MiB", f"{size / MIB:.1f} MiB", size <= mib * MIB)


def most_kib(measure, size, kib):
    return Verdict(measure, "", f"≤ {kib} KiB", f"{size / 1024:.1f} KiB", size <= kib * 1024)


def spaced(number):
    return f"{number:,}".replace(",", " ")
