"""py2neo over HTTP, as its users know it: statements, transactions, nodes, relationships, paths, subgraphs.

    py2neo_steps.py URL        with BOLTGATE_USER as name:password, if the database requires it

Everything has the label BoltgateOlder and is removed. Each check is a line, "ok - …" or "not ok - …".
"""

import os
import sys
import traceback

from py2neo import Graph, Node, Relationship, Subgraph
from py2neo.errors import ClientError

LABEL = "BoltgateOlder"
failed = False


def check(claim):
    """Runs the function at once, and says whether it held."""

    def run(function):
        global failed
        try:
            function()
            print(f"ok - py2neo: {claim}", flush=True)
        except Exception:
            failed = True
            traceback.print_exc()
            print(f"not ok - py2neo: {claim}", flush=True)

    return run


url = sys.argv[1]
user, _, password = os.environ.get("BOLTGATE_USER", "").partition(":")
auth = {"auth": (user, password)} if user else {}
graph = Graph(url, **auth)


def clean():
    graph.run(f"MATCH (n:{LABEL}) DETACH DELETE n")


clean()


@check("values come back as they were sent")
def _():
    sent = {"n": 2**53 + 1, "x": 1.5, "s": "żółć", "t": True, "z": None, "l": [1, [2]], "m": {"a": 1}}
    assert graph.run("RETURN $p AS p", p=sent).evaluate() == sent
    cursor = graph.run("UNWIND [3, 1, 2] AS n RETURN n, n * n AS m")
    assert cursor.keys() == ["n", "m"]
    assert cursor.data() == [{"n": 3, "m": 9}, {"n": 1, "m": 1}, {"n": 2, "m": 4}]


@check("nodes are created, found by the matcher, changed and counted")
def _():
    ann, bob = Node(LABEL, name="Ann", age=33), Node(LABEL, name="Bob")
    graph.create(ann)
    graph.create(bob)
    assert ann.identity >= 0 and bob.identity != ann.identity
    assert graph.nodes.match(LABEL).count() == 2
    found = graph.nodes.match(LABEL, name="Ann").first()
    assert found == ann and found["age"] == 33 and set(found.labels) == {LABEL}
    assert graph.nodes.get(ann.identity) == ann
    found["age"] = 34
    graph.push(found)
    ann.clear()
    graph.pull(ann)
    assert ann["age"] == 34, dict(ann)


@check("relationships are created, merged and found")
def _():
    ann = graph.nodes.match(LABEL, name="Ann").first()
    bob = graph.nodes.match(LABEL, name="Bob").first()
    knows = Relationship(ann, "KNOWS", bob, since=1999)
    graph.create(knows)
    graph.merge(Relationship(ann, "KNOWS", bob), LABEL, "name")
    found = graph.match((ann, bob), r_type="KNOWS").first()
    assert found == knows and found["since"] == 1999
    assert (found.start_node["name"], found.end_node["name"]) == ("Ann", "Bob")
    assert graph.match((ann, bob)).count() == 1
    cursor = graph.run(f"MATCH (:{LABEL})-[r:KNOWS]->() RETURN r")
    related = cursor.evaluate()
    assert type(related).__name__ == "KNOWS" and related["since"] == 1999


@check("paths have their nodes and relationships in order")
def _():
    path = graph.run(f"MATCH p = (:{LABEL} {{name: 'Ann'}})-[:KNOWS]->(b) RETURN p").evaluate()
    assert [node["name"] for node in path.nodes] == ["Ann", "Bob"], path
    assert [type(one).__name__ for one in path.relationships] == ["KNOWS"]
    back = graph.run(f"MATCH p = (:{LABEL} {{name: 'Bob'}})<-[:KNOWS]-() RETURN p").evaluate()
    assert [node["name"] for node in back.nodes] == ["Bob", "Ann"], back


@check("a subgraph is created as a whole, merged without doubles, and deleted")
def _():
    a, b, c = (Node(LABEL, name=name) for name in "abc")
    whole = Relationship(a, "TO", b) | Relationship(b, "TO", c)
    graph.create(whole)
    assert isinstance(whole, Subgraph) and all(node.identity >= 0 for node in whole.nodes)
    again = Relationship(Node(LABEL, name="a"), "TO", Node(LABEL, name="b"))
    graph.merge(again, LABEL, "name")
    assert graph.nodes.match(LABEL).where("size(_.name) = 1").count() == 3
    assert graph.exists(whole)
    graph.delete(whole)
    assert graph.nodes.match(LABEL).where("size(_.name) = 1").count() == 0


@check("a transaction is seen by nobody until it is committed")
def _():
    tx = graph.begin()
    tx.run(f"CREATE (:{LABEL} {{name: $name}})", name="in tx")
    node = Node(LABEL, name="in tx, too")
    tx.create(node)
    assert tx.evaluate(f"MATCH (n:{LABEL}) WHERE n.name STARTS WITH 'in tx' RETURN count(n)") == 2
    assert graph.nodes.match(LABEL, name="in tx").count() == 0
    graph.commit(tx)
    assert graph.nodes.match(LABEL, name="in tx").count() == 1
    assert graph.nodes.get(node.identity)["name"] == "in tx, too"


@check("a transaction is rolled back")
def _():
    tx = graph.begin()
    tx.run(f"CREATE (:{LABEL} {{name: 'undone'}})")
    graph.rollback(tx)
    assert graph.nodes.match(LABEL, name="undone").count() == 0


@check("counters tell what a statement has done")
def _():
    stats = graph.run(f"CREATE (:{LABEL} {{name: 'counted'}})-[:TO]->(:{LABEL})").stats()
    assert stats["nodes_created"] == 2 and stats["relationships_created"] == 1, stats


@check("mistakes are the database's errors, and end a transaction")
def _():
    tx = graph.begin()
    for run in (graph.run, tx.run):
        try:
            run("NONSENSE")
        except ClientError as error:
            assert error.code.startswith("Neo.ClientError.Statement."), error.code
        else:
            raise AssertionError("it was accepted")


if user:

    # It looks for that in the database `system`, which the embedded database has not.
    @check("it says what it is connected to")
    def _():
        assert graph.service.kernel_version.major >= 4, graph.service.kernel_version

    @check("a wrong password is refused")
    def _():
        try:
            Graph(url, auth=(user, "wrong")).run("RETURN 1")
        except Exception as error:
            assert "401" in str(error) or "nauthorized" in str(error) or "connect" in str(error), error
        else:
            raise AssertionError("it was accepted")


clean()
sys.exit(failed)
