"""The official Neo4j Python driver, unmodified, over http:// against Boltgate.

Run by run-python-driver, once per target. Environment:

  BOLTGATE_CLIENT_TARGET     embedded, arcadedb or neo4j: what is behind the gateway
  BOLTGATE_CLIENT_URL        base URL, such as http://127.0.0.1:7474
  BOLTGATE_CLIENT_USER, BOLTGATE_CLIENT_PASSWORD    credentials, if the database needs any
"""

import asyncio
import concurrent.futures
import datetime
import math
import os
import uuid

import neo4j
import pytest
import pytz
from neo4j import AsyncGraphDatabase, GraphDatabase, READ_ACCESS
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConstraintError,
    CypherSyntaxError,
    Neo4jError,
)
from neo4j.spatial import CartesianPoint, WGS84Point
from neo4j.time import Date, DateTime, Duration, Time

# What a target cannot do, and why. Everything that is not listed is expected of every target.
HOLES = {
    "neo4j": {},
    "arcadedb": {
        "plans": "its plans are one operator of its own",
        "notifications": "the server sends none",
        "read mode": "the server lets a read transaction write",
        "columns without rows": "the server sends no column names for some empty results",
        "rows before an error": "the server finds the error before it sends the first row",
        "constraint": "its constraint errors have codes of their own",
    },
    "embedded": {
        "authentication": "the embedded database needs no credentials",
        "bytes": "the embedded engine has no byte arrays",
        "points": "the embedded engine has no points",
        "property map": "the embedded engine takes no parameter as the properties of CREATE",
        "plans": "the embedded engine has no PROFILE, and one text for a plan",
        "notifications": "the embedded engine sends none",
        "rows before an error": "the embedded engine has the whole result before the first row",
        "constraint": "the embedded engine has no CREATE CONSTRAINT",
    },
}

TARGET = os.environ["BOLTGATE_CLIENT_TARGET"]
URL = os.environ["BOLTGATE_CLIENT_URL"]
USER = os.environ.get("BOLTGATE_CLIENT_USER")
# Over HTTP the driver insists on credentials; a database without authentication ignores them.
AUTH = (USER, os.environ["BOLTGATE_CLIENT_PASSWORD"]) if USER else ("nobody", "nothing")
DATABASE = "neo4j"

pytestmark = pytest.mark.filterwarnings("ignore::neo4j.warnings.PreviewWarning")


def needs(capability):
    assert any(capability in holes for holes in HOLES.values()), capability
    reason = HOLES[TARGET].get(capability)
    return pytest.mark.skipif(reason is not None, reason=f"{TARGET}: {reason}")


@pytest.fixture(scope="module")
def driver():
    with GraphDatabase.driver(URL, auth=AUTH) as opened:
        yield opened


@pytest.fixture
def session(driver):
    with driver.session(database=DATABASE) as opened:
        yield opened


@pytest.fixture
def label(driver):
    """A label of its own for a test; its nodes are deleted afterwards."""
    name = "Client" + uuid.uuid4().hex[:12]
    yield name
    driver.execute_query(f"MATCH (n:{name}) DETACH DELETE n", database_=DATABASE)


def count(driver, label):
    records, _, _ = driver.execute_query(
        f"MATCH (n:{label}) RETURN count(n) AS c", database_=DATABASE
    )
    return records[0]["c"]


# ---- connecting ----------------------------------------------------------------------------------


def test_verify_connectivity(driver):
    driver.verify_connectivity()


@needs("authentication")
def test_verify_authentication(driver):
    assert driver.verify_authentication(AUTH) is True


def test_server_info(driver):
    info = driver.get_server_info()
    assert info.agent


@needs("authentication")
def test_wrong_password():
    with GraphDatabase.driver(URL, auth=(USER, "not the password")) as other:
        with pytest.raises(AuthError) as raised:
            other.execute_query("RETURN 1", database_=DATABASE)
    assert raised.value.code == "Neo.ClientError.Security.Unauthorized"


# ---- running -------------------------------------------------------------------------------------


def test_execute_query(driver):
    records, summary, keys = driver.execute_query(
        "UNWIND $list AS x RETURN x, x * 2 AS double", {"list": [1, 2, 3]}, database_=DATABASE
    )
    assert keys == ["x", "double"]
    assert [record.data() for record in records] == [
        {"x": 1, "double": 2},
        {"x": 2, "double": 4},
        {"x": 3, "double": 6},
    ]
    assert summary.query_type == "r"
    assert summary.result_available_after is not None


def test_session_run(session):
    result = session.run("UNWIND range(1, $n) AS x RETURN x", n=5)
    assert result.keys() == ["x"]
    assert [record["x"] for record in result] == [1, 2, 3, 4, 5]


@needs("columns without rows")
def test_columns_without_rows(session):
    result = session.run("UNWIND [] AS x RETURN x")
    assert result.keys() == ["x"]
    assert list(result) == []


def test_single_and_value(session):
    assert session.run("RETURN 'a' AS x").single(strict=True)["x"] == "a"
    assert session.run("UNWIND [1, 2] AS x RETURN x").value("x") == [1, 2]


def test_many_rows(session):
    values = session.run("UNWIND range(1, 20000) AS x RETURN x").value("x")
    assert values == list(range(1, 20001))


def test_several_sessions_at_once(driver):
    def one(number):
        records, _, _ = driver.execute_query(
            "RETURN $n AS n", n=number, database_=DATABASE
        )
        return records[0]["n"]

    with concurrent.futures.ThreadPoolExecutor(max_workers=30) as pool:
        assert list(pool.map(one, range(60))) == list(range(60))


def test_async_driver():
    async def work():
        async with AsyncGraphDatabase.driver(URL, auth=AUTH) as opened:
            records, _, _ = await opened.execute_query(
                "UNWIND [1, 2] AS x RETURN x", database_=DATABASE
            )
            return [record["x"] for record in records]

    assert asyncio.run(work()) == [1, 2]


# ---- transactions --------------------------------------------------------------------------------


def test_commit(driver, session, label):
    transaction = session.begin_transaction()
    transaction.run(f"CREATE (:{label} {{k: 1}})").consume()
    assert transaction.run(f"MATCH (n:{label}) RETURN count(n) AS c").single()["c"] == 1
    transaction.commit()
    assert count(driver, label) == 1


def test_rollback(driver, session, label):
    transaction = session.begin_transaction()
    transaction.run(f"CREATE (:{label} {{k: 1}})").consume()
    transaction.rollback()
    assert count(driver, label) == 0


def test_leaving_the_block_commits(driver, session, label):
    with session.begin_transaction() as transaction:
        transaction.run(f"CREATE (:{label})").consume()
    assert count(driver, label) == 1


def test_an_exception_in_the_block_rolls_back(driver, session, label):
    with pytest.raises(ValueError, match="on purpose"):
        with session.begin_transaction() as transaction:
            transaction.run(f"CREATE (:{label})").consume()
            raise ValueError("on purpose")
    assert count(driver, label) == 0


def test_an_error_ends_the_transaction(driver, session, label):
    transaction = session.begin_transaction()
    transaction.run(f"CREATE (:{label})").consume()
    with pytest.raises(CypherSyntaxError):
        transaction.run("nonsense").consume()
    transaction.close()
    assert count(driver, label) == 0
    assert session.run("RETURN 1 AS x").single()["x"] == 1


def test_managed_write_and_read(session, label):
    def write(transaction, number):
        query = f"CREATE (n:{label} {{k: $k}}) RETURN n.k AS k"
        return transaction.run(query, k=number).single()["k"]

    def read(transaction):
        return transaction.run(f"MATCH (n:{label}) RETURN n.k AS k ORDER BY k").value("k")

    assert session.execute_write(write, 1) == 1
    assert session.execute_write(write, 2) == 2
    assert session.execute_read(read) == [1, 2]


def test_an_exception_in_managed_work_rolls_back(driver, session, label):
    def work(transaction):
        transaction.run(f"CREATE (:{label})").consume()
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        session.execute_write(work)
    assert count(driver, label) == 0


@needs("read mode")
def test_writing_in_a_read_transaction(driver, label):
    with driver.session(database=DATABASE, default_access_mode=READ_ACCESS) as reading:
        with pytest.raises(Neo4jError):
            reading.run(f"CREATE (:{label})").consume()
        with pytest.raises(Neo4jError):
            reading.execute_read(lambda tx: tx.run(f"CREATE (:{label})").consume())
    assert count(driver, label) == 0


# ---- errors --------------------------------------------------------------------------------------


def test_syntax_error(session):
    with pytest.raises(CypherSyntaxError) as raised:
        session.run("RETRN 1").consume()
    assert raised.value.code == "Neo.ClientError.Statement.SyntaxError"
    assert session.run("RETURN 1 AS x").single()["x"] == 1


def test_missing_parameter(session):
    with pytest.raises(ClientError):
        session.run("RETURN $missing AS x").consume()


@needs("constraint")
def test_constraint_error(driver, session, label):
    session.run(f"CREATE CONSTRAINT {label} FOR (n:{label}) REQUIRE n.k IS UNIQUE").consume()
    try:
        session.run(f"CREATE (:{label} {{k: 1}})").consume()
        with pytest.raises(ConstraintError) as raised:
            session.run(f"CREATE (:{label} {{k: 1}})").consume()
        assert raised.value.code == "Neo.ClientError.Schema.ConstraintValidationFailed"
        assert count(driver, label) == 1
    finally:
        session.run(f"DROP CONSTRAINT {label}").consume()


FAILS_AT_THE_FOURTH_ROW = "UNWIND [1, 2, 5, 0, 10] AS x RETURN 10 / x AS y"


def test_error_while_running(session):
    with pytest.raises(ClientError) as raised:
        list(session.run(FAILS_AT_THE_FOURTH_ROW))
    assert raised.value.code == "Neo.ClientError.Statement.ArithmeticError"
    assert "/ by zero" in raised.value.message
    assert session.run("RETURN 1 AS x").single()["x"] == 1


@needs("rows before an error")
def test_rows_before_an_error_are_delivered(session):
    result = session.run(FAILS_AT_THE_FOURTH_ROW)
    rows = []
    with pytest.raises(ClientError):
        for record in result:
            rows.append(record["y"])
    assert rows == [10, 5, 2]


# ---- values --------------------------------------------------------------------------------------

BERLIN = pytz.timezone("Europe/Berlin")
SCALARS = [
    None,
    True,
    False,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    9007199254740993,
    0.1,
    1.5e300,
    -0.0,
    math.inf,
    -math.inf,
    "",
    "äöü 中文 😀 \" \\ \n \u0001",
    [],
    [1, 2.5, "x", None, True],
    [[1], [[2]], []],
    {},
    {"a": 1, "b": {"c": [1, {"d": None}]}, "ключ": "😀"},
]
TEMPORALS = [
    Date(2015, 3, 26),
    Date(1, 1, 1),
    Time(12, 50, 35, 556_000_000),
    Time(12, 50, 35, 1, tzinfo=pytz.FixedOffset(90)),
    DateTime(2015, 7, 4, 19, 32, 24, 123_456_789),
    DateTime(2015, 6, 24, 12, 50, 35, 556_000_000, tzinfo=pytz.FixedOffset(-330)),
    BERLIN.localize(DateTime(2026, 7, 1, 12, 0, 0)),
    BERLIN.localize(DateTime(2026, 1, 1, 0, 0, 0, 1)),
    Duration(months=14, days=3, seconds=5, nanoseconds=7),
    Duration(months=-1, days=1, seconds=-1, nanoseconds=-500_000_000),
    Duration(),
]


def echo(session, value):
    return session.run("RETURN $p AS p", p=value).single()["p"]


@pytest.mark.parametrize("value", SCALARS, ids=lambda value: repr(value)[:40])
def test_round_trip(session, value):
    returned = echo(session, value)
    assert returned == value
    assert type(returned) is type(value)


def test_not_a_number(session):
    assert math.isnan(echo(session, math.nan))


@pytest.mark.parametrize("value", TEMPORALS, ids=str)
def test_temporal_round_trip(session, value):
    returned = echo(session, value)
    assert returned == value
    assert type(returned) is type(value)
    assert str(getattr(returned, "tzinfo", None)) == str(getattr(value, "tzinfo", None))


def test_native_temporal_values(session):
    assert echo(session, datetime.date(2020, 2, 29)) == Date(2020, 2, 29)
    assert echo(session, datetime.datetime(2020, 1, 1, 12, 30)) == DateTime(2020, 1, 1, 12, 30)
    assert echo(session, datetime.timedelta(days=1, seconds=2)) == Duration(days=1, seconds=2)


@needs("bytes")
@pytest.mark.parametrize("value", [b"", b"\x00\x01\xff", bytes(range(256))], ids=len)
def test_bytes_round_trip(session, value):
    assert echo(session, value) == value


@needs("points")
@pytest.mark.parametrize(
    "value",
    [
        CartesianPoint((1.5, -2.5)),
        CartesianPoint((1.0, 2.0, 3.0)),
        WGS84Point((10.75, 59.9)),
        WGS84Point((10.75, 59.9, 3.0)),
    ],
    ids=str,
)
def test_point_round_trip(session, value):
    returned = echo(session, value)
    assert returned == value
    assert returned.srid == value.srid


def test_nodes(session, label):
    properties = {"s": "x", "i": 1, "f": 1.5, "b": True, "l": [1, 2]}
    query = f"CREATE (n:{label} {{s: $s, i: $i, f: $f, b: $b, l: $l}}) RETURN n"
    node = session.run(query, properties).single()["n"]
    assert isinstance(node, neo4j.graph.Node)
    assert node.labels == frozenset({label})
    assert dict(node) == properties
    assert isinstance(node.element_id, str) and node.element_id
    again = session.run(f"MATCH (n:{label}) RETURN n").single()["n"]
    assert again.element_id == node.element_id


@needs("property map")
def test_property_map(session, label):
    properties = {"s": "x", "i": 1, "f": 1.5, "b": True, "l": [1, 2]}
    node = session.run(f"CREATE (n:{label} $p) RETURN n", p=properties).single()["n"]
    assert dict(node) == properties


def test_relationships(session, label):
    query = f"CREATE (a:{label} {{k: 1}})-[r:LINKS {{w: 0.5}}]->(b:{label} {{k: 2}}) RETURN a, r, b"
    record = session.run(query).single()
    relationship = record["r"]
    assert isinstance(relationship, neo4j.graph.Relationship)
    assert relationship.type == "LINKS"
    assert dict(relationship) == {"w": 0.5}
    assert relationship.start_node.element_id == record["a"].element_id
    assert relationship.end_node.element_id == record["b"].element_id


def test_paths(session, label):
    session.run(
        f"CREATE (:{label} {{k: 1}})-[:ONE]->(:{label} {{k: 2}})<-[:TWO]-(:{label} {{k: 3}})"
    ).consume()
    query = f"MATCH p = (:{label} {{k: 1}})-[:ONE]->()<-[:TWO]-() RETURN p"
    path = session.run(query).single()["p"]
    assert isinstance(path, neo4j.graph.Path)
    assert [node["k"] for node in path.nodes] == [1, 2, 3]
    assert [relationship.type for relationship in path.relationships] == ["ONE", "TWO"]
    assert path.relationships[1].start_node["k"] == 3
    assert path.relationships[1].end_node["k"] == 2


# ---- summaries -----------------------------------------------------------------------------------


def test_counters(driver, label):
    query = f"CREATE (a:{label} {{k: 1, v: 2}})-[:LINKS {{k: 1}}]->(b:{label})"
    counters = driver.execute_query(query, database_=DATABASE).summary.counters
    assert counters.nodes_created == 2
    assert counters.relationships_created == 1
    assert counters.properties_set == 3
    assert counters.contains_updates
    query = f"MATCH (n:{label}) DETACH DELETE n"
    counters = driver.execute_query(query, database_=DATABASE).summary.counters
    assert counters.nodes_deleted == 2
    assert counters.relationships_deleted == 1


def test_a_read_changes_nothing(driver):
    counters = driver.execute_query("RETURN 1", database_=DATABASE).summary.counters
    assert not counters.contains_updates


def test_bookmarks(driver, label):
    with driver.session(database=DATABASE) as first:
        first.run(f"CREATE (:{label})").consume()
        before = first.last_bookmarks()
        first.execute_write(lambda tx: tx.run(f"CREATE (:{label})").consume())
        after = first.last_bookmarks()
    assert before.raw_values and after.raw_values
    assert before != after
    with driver.session(database=DATABASE, bookmarks=after) as second:
        assert second.run(f"MATCH (n:{label}) RETURN count(n) AS c").single()["c"] == 2


@needs("plans")
def test_plans(session):
    plan = session.run("EXPLAIN RETURN 1 AS x").consume().plan
    assert plan["operatorType"].startswith("ProduceResults")
    profile = session.run("PROFILE RETURN 1 AS x").consume().profile
    assert profile["operatorType"].startswith("ProduceResults")


@needs("notifications")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_notifications(session):
    summary = session.run("MATCH (n:ClientNeverSeen) RETURN n").consume()
    codes = [notification["code"] for notification in summary.notifications]
    assert "Neo.ClientNotification.Statement.UnknownLabelWarning" in codes
