"""The workloads. Every contender gets the same statements, and every response is checked."""

from dataclasses import dataclass, field

LARGE = 5000  # rows

TEXT = (
    'The engine "weaves algebraic patterns"\njust as the Jacquard loom weaves flowers and leaves; '
    "naïve readers in Zürich, Kraków and 東京 agree."
)
WIDE_COLUMNS = ", ".join(f"$text AS t{column}" for column in range(20))

POINT = "MATCH (n:Bench {id: $id}) RETURN n.id AS id, n.name AS name, n.email AS email, n.score AS score"
WRITE = "UNWIND $rows AS row CREATE (n:BenchWrite) SET n = row"


@dataclass
class Workload:
    """One statement, or three in a transaction."""

    name: str
    title: str
    statement: str
    expect: str  # occurs in every correct response
    parameters: dict = field(default_factory=dict)
    rows: int = 1
    connections: tuple = (1,)
    kind: str = "statement"  # or "transaction": three requests; "batch": three statements in one request
    writes: bool = False

    @property
    def is_large(self):
        return self.rows >= LARGE


def scalars(rows):
    """A statement that returns this number of rows with four scalars."""
    return f"UNWIND range(1, {rows}) AS i RETURN i AS n, i / 8.0 AS x, 'row ' + toString(i) AS text, i % 2 = 0 AS even"


def all_workloads(quick):
    """The workloads of the comparison. A quick run has small results and few connections."""
    rows, wide_rows = (1000, 100) if quick else (100_000, 5000)
    few = (1,) if quick else (1, 16)
    many = (1, 64) if quick else (1, 16, 64, 256)
    spaced = f"{rows:,}".replace(",", " ")
    wide_spaced = f"{wide_rows:,}".replace(",", " ")
    return [
        Workload("return-1", "`RETURN 1`", "RETURN 1", "1", connections=many),
        Workload("point-read", "point read", POINT, "@example.org", {"id": 711}, connections=many),
        Workload(
            "nodes-25", "25 nodes, 10 properties", "MATCH (n:Bench) RETURN n LIMIT 25", "Ada Lovelace", rows=25,
            connections=many,
        ),
        Workload("scalars", f"{spaced} rows of scalars", scalars(rows), "row 1000", rows=rows, connections=few),
        Workload(
            "nodes", f"{spaced} nodes, 10 properties", f"MATCH (n:Bench) RETURN n LIMIT {rows}", "Ada Lovelace",
            rows=rows, connections=few,
        ),
        Workload(
            "wide", f"{wide_spaced} rows of 20 texts", f"UNWIND range(1, {wide_rows}) AS i RETURN {WIDE_COLUMNS}",
            "Jacquard", {"text": TEXT}, rows=wide_rows, connections=few,
        ),
        Workload(
            "write", "write of 1 000 rows", WRITE, "[]", {"rows": [person(row) for row in range(1000)]}, rows=1000,
            connections=few, writes=True,
        ),
        Workload(
            "transaction", "transaction of 3 requests", POINT, "@example.org", {"id": 711}, connections=few,
            kind="transaction",
        ),
        Workload(
            "batch", "3 statements in one request", POINT, "@example.org", {"id": 711}, connections=many,
            kind="batch",
        ),
    ]


def person(row):
    """The ten properties of one node."""
    return {
        "id": row,
        "name": f"Ada Lovelace {row}",
        "email": f"ada.lovelace.{row}@example.org",
        "city": "London",
        "note": "the first to see that the engine could do more than numbers",
        "born": 1815 + row % 200,
        "visits": row * 1000,
        "score": row / 8,
        "active": row % 2 == 0,
        "tags": ["poet", "engine", "analysis"],
    }
