"""Memgraph's own Python tools, over HTTP: memgraph-toolbox, langchain-memgraph and mcp-memgraph.

They use the official Neo4j driver and take a gateway's address as their URL. Each runs what it sends to a Memgraph, and
looks at what comes of it. One line of TAP for each; the exit status says whether all went well.

    MEMGRAPH_URL=http://127.0.0.1:7474 python memgraph_tools.py

With BOLTGATE_SCHEMA_INFO=off the database is one without --schema-info-enabled. Without BOLTGATE_STAND_IN it is a real
Memgraph, whose graph is not known: then it only counts that nothing is refused. With BOLTGATE_EMBEDDED it is Boltgate's
embedded database: a check may end with its word that it has no such thing, and the line shows that word.
"""

import asyncio
import logging
import os
import re
import sys
import traceback

URL = os.environ["MEMGRAPH_URL"]
USER = os.environ.setdefault("MEMGRAPH_USER", "")
PASSWORD = os.environ.setdefault("MEMGRAPH_PASSWORD", "")
SCHEMA_INFO = os.environ.get("BOLTGATE_SCHEMA_INFO", "on") == "on"
KNOWN_GRAPH = "BOLTGATE_STAND_IN" in os.environ
EMBEDDED = "BOLTGATE_EMBEDDED" in os.environ

from langchain_memgraph import MemgraphToolkit  # noqa: E402
from langchain_memgraph.graphs.graph_document import GraphDocument, Node, Relationship  # noqa: E402
from langchain_memgraph.graphs.memgraph import MemgraphLangChain  # noqa: E402
from langchain_core.documents import Document  # noqa: E402
from memgraph_toolbox.api.memgraph import AsyncMemgraph, Memgraph, merge_with_retry  # noqa: E402
from memgraph_toolbox.memgraph_toolbox import MemgraphToolbox  # noqa: E402

PROCEDURES = (
    "CALL mg.procedures()\nYIELD name, signature, is_write\nWHERE name =~ '.*'\nRETURN name, signature, is_write"
)


# What each of the toolbox's tools is asked; the other packages have the same tools under the same names.
CALLS = {
    "run_cypher_query": {"query": "RETURN 1 AS n"},
    "search_schema": {"pattern": "person"},
    "get_node_schema": {"node_labels": ["Person"]},
    "get_relationship_schema": {
        "relationship_type": "KNOWS",
        "start_node_labels": ["Person"],
        "end_node_labels": ["Person"],
    },
    "get_enum_schema": {"enum_name": "Status"},
}


def equal(found, expected):
    if KNOWN_GRAPH and found != expected:
        raise AssertionError(f"{found!r} instead of {expected!r}")


def no_error(found):
    """The tools return what went wrong instead of raising it."""
    first = found[0] if isinstance(found, list) and found else found
    if isinstance(first, dict) and "error" in first:
        raise AssertionError(first["error"])
    return found


# ---- memgraph-toolbox ----------------------------------------------------------------------------


def toolbox_parameters():
    db = Memgraph(url=URL)
    assert db.query("RETURN $x AS x", {"x": [1, "a", None]}) == [{"x": [1, "a", None]}]
    db.close()


def toolbox_statements_that_run_alone():
    db = Memgraph(url=URL)
    db.query("CREATE INDEX ON :BoltgateTool(id)")
    equal(db.query("SHOW INDEX INFO")[0]["index type"], "label+property")
    db.query("DROP INDEX ON :BoltgateTool(id)")
    db.query("SHOW STORAGE INFO")
    db.close()


def toolbox_procedures():
    db = Memgraph(url=URL)
    names = [row["name"] for row in db.query(PROCEDURES)]
    assert names, "there are always some"
    db.close()


def toolbox_tools():
    db = Memgraph(url=URL)
    for tool in MemgraphToolbox(db).get_all_tools():
        no_error(tool.call(CALLS[tool.get_name()]))
    db.close()


def toolbox_merge_with_retry():
    db = Memgraph(url=URL)
    rows = merge_with_retry(db, "MERGE (n:BoltgateTool {id: $id}) RETURN n.id AS id", {"id": 1})
    assert rows == [{"id": 1}], rows
    db.query("MATCH (n:BoltgateTool) DELETE n")
    db.close()


def toolbox_async():
    async def go():
        db = AsyncMemgraph(url=URL)
        await db.verify_connectivity()
        await db.query("SHOW INDEX INFO")
        rows = await db.query("RETURN 2 AS n")
        await db.close()
        return rows

    assert asyncio.run(go()) == [{"n": 2}]


# ---- langchain-memgraph --------------------------------------------------------------------------


def graph():
    return MemgraphLangChain(url=URL, username=USER, password=PASSWORD)


def langchain_schema():
    one = graph()
    one.refresh_schema()
    if KNOWN_GRAPH:
        assert "name: string" in one.get_schema and "(:Person)-[:KNOWS]->(:Person)" in one.get_schema, one.get_schema


def langchain_documents():
    one = graph()
    ada, bob = Node(id="boltgate-ada", type="BoltgateTool"), Node(id="boltgate-bob", type="BoltgateTool")
    knows = Relationship(source=ada, target=bob, type="KNOWS")
    # Left undone by the package.
    GraphDocument.model_rebuild(_types_namespace={"Document": Document})
    source = Document(page_content="Ada knows Bob.")
    documents = [GraphDocument(nodes=[ada, bob], relationships=[knows], source=source)]
    one.add_graph_documents(documents, include_source=True, baseEntityLabel=True)


def langchain_tools():
    # The tools want a database and no model.
    toolkit = MemgraphToolkit.model_construct(db=graph(), llm=None)
    for tool in toolkit.get_tools():
        no_error(tool.invoke(CALLS[tool.name]))


# ---- mcp-memgraph --------------------------------------------------------------------------------


def mcp_over_the_protocol():
    from fastmcp import Client
    from mcp_memgraph.servers.server import mcp

    async def go():
        async with Client(mcp) as client:
            for query in ["RETURN 1 AS n", "SHOW INDEX INFO", PROCEDURES]:
                result = await client.call_tool("run_cypher_query", {"query": query})
                no_error(result.structured_content["result"])

    asyncio.run(go())


def mcp_tools():
    from mcp_memgraph.servers import server

    # Called without the protocol, since its client refuses what some of them return: an object where they promise a list.
    for name, arguments in CALLS.items():
        no_error(getattr(server, name)(**arguments))


def mcp_indexes():
    from mcp_memgraph.servers.memgraph_experimental import get_current_indexes

    found = get_current_indexes()
    if KNOWN_GRAPH:
        assert found.vector_indexes, vars(found)


CHECKS = [
    toolbox_parameters,
    toolbox_statements_that_run_alone,
    toolbox_procedures,
    toolbox_merge_with_retry,
    toolbox_async,
    langchain_schema,
    mcp_over_the_protocol,
    mcp_indexes,
]
if SCHEMA_INFO:
    CHECKS += [toolbox_tools, langchain_tools, langchain_documents, mcp_tools]


def main():
    logging.disable(logging.WARNING)
    failed = 0
    for check in CHECKS:
        name = f"{check.__name__.replace('_', ' ')}, schema info {'on' if SCHEMA_INFO else 'off'}"
        try:
            check()
            print(f"ok - {name}", flush=True)
        except Exception as error:
            lacked = re.search(r"[^:({]* is not supported by the embedded database", str(error))
            if EMBEDDED and lacked:
                print(f"ok - lacks: {name}: {lacked.group().strip()}", flush=True)
                continue
            failed += 1
            print(f"not ok - {name}", flush=True)
            traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
