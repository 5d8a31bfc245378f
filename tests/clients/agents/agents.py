"""Tools for agents, as the official Python SDK of the Model Context Protocol calls them.

Reads BOLTGATE_CLIENT_URL, BOLTGATE_CLIENT_USER and BOLTGATE_CLIENT_PASSWORD (empty: no credentials), and
BOLTGATE_CLIENT_READ_ONLY_URL, the address of the same gateway without the tool that writes. Prints a TAP line for each test.
"""

import asyncio
import base64
import json
import os
import pathlib
import sys
import traceback
import urllib.request
from contextlib import asynccontextmanager

import jsonschema
from mcp import Client, MCPError
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

URL = os.environ["BOLTGATE_CLIENT_URL"]
READ_ONLY_URL = os.environ["BOLTGATE_CLIENT_READ_ONLY_URL"]
USER = os.environ["BOLTGATE_CLIENT_USER"]
PASSWORD = os.environ["BOLTGATE_CLIENT_PASSWORD"]
ATTEMPTS = json.loads(pathlib.Path(__file__).with_name("attempts.json").read_text())
NEWEST = "2026-07-28"
NAMED = ["make", "people_of"]
SLOW = "UNWIND range(1, 100000000) AS a UNWIND range(1, 100000000) AS b WITH a, b WHERE a + b < 0 RETURN count(*) AS n"


def credentials(user, password):
    if not user:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@asynccontextmanager
async def agent(url=URL, mode="auto", headers=None):
    """A connected client."""
    headers = credentials(USER, PASSWORD) if headers is None else headers
    async with create_mcp_http_client(headers=headers) as http:
        async with Client(streamable_http_client(url + "/mcp", http_client=http), mode=mode) as client:
            yield client


def request(path, body=None):
    headers = {"Content-Type": "application/json", **credentials(USER, PASSWORD)}
    body = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, body, headers)) as answer:
        return json.load(answer)


def query(statement):
    """Runs a statement by the Query API."""
    return request("/db/neo4j/query/v2", {"statement": statement})["data"]["values"]


def text(result):
    return result.content[0].text


async def call(client, tool, **arguments):
    """Calls a tool, and gives the structure of a result that is no error."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text(result)
    return result.structured_content


async def connects_by_every_revision():
    async with agent() as client:
        assert client.protocol_version == NEWEST, client.protocol_version
        assert client.server_info.name == "boltgate", client.server_info
    for mode in ("legacy", NEWEST):
        async with agent(mode=mode) as client:
            assert (client.protocol_version == NEWEST) == (mode == NEWEST), client.protocol_version
            assert (await call(client, "read_cypher", query="RETURN 1 AS one"))["rows"] == [{"one": 1}]


async def offers_tools_with_schemas():
    async with agent(READ_ONLY_URL) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["get_schema", "read_cypher", *NAMED]
    async with agent() as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["get_schema", "read_cypher", "write_cypher", *NAMED]
        for tool in tools:
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            jsonschema.Draft202012Validator.check_schema(tool.output_schema)
            writes = tool.name in ("write_cypher", "make")
            hints = tool.annotations
            assert (hints.read_only_hint, hints.destructive_hint, hints.open_world_hint) == (not writes, writes, False)
            assert tool.title and tool.description


async def shows_the_schema():
    query("MATCH (n:AgentPerson) DETACH DELETE n")
    query("CREATE (:AgentPerson {name: 'A', born: 1990})-[:AGENT_KNOWS {since: date('2020-01-01')}]->(:AgentPerson)")
    async with agent() as client:
        schema = await call(client, "get_schema", database="neo4j", sample=10_000)
        person = next(label for label in schema["nodeLabels"] if label["label"] == "AgentPerson")
        assert person["count"] == 2, person
        types = {item["name"]: item["types"] for item in person["properties"]}
        assert types == {"name": ["STRING"], "born": ["INTEGER"]}, person
        knows = next(kind for kind in schema["relationshipTypes"] if kind["type"] == "AGENT_KNOWS")
        assert knows["from"] == knows["to"] == ["AgentPerson"], knows
        assert knows["properties"] == [{"name": "since", "types": ["DATE"]}], knows
        assert (await call(client, "get_schema"))["database"] == "neo4j"
    query("MATCH (n:AgentPerson) DETACH DELETE n")
    async with agent() as client:
        schema = await call(client, "get_schema", database="neo4j", sample=9_999)
        assert not any(label["label"] == "AgentPerson" for label in schema["nodeLabels"]), "nothing has it any more"


async def passes_values_exactly():
    async with agent() as client:
        values = {"n": 2**53 + 1, "s": "é\u0000'\"", "l": [1, 2.5, None, {"a": True}]}
        rows = await call(client, "read_cypher", query="RETURN $n AS n, $s AS s, $l AS l", parameters=values)
        assert rows["rows"] == [values], rows
        assert rows["columns"] == ["n", "s", "l"], rows


async def cuts_results_off():
    async with agent() as client:
        result = await client.call_tool("read_cypher", {"query": "UNWIND range(1, 1000) AS n RETURN n"})
        assert result.structured_content["rowCount"] == 100 and result.structured_content["truncated"], result
        assert "cut off after 100 rows" in text(result), text(result)
        wide = await call(client, "read_cypher", query="UNWIND range(1, 1000) AS n RETURN range(1, 1000) AS n", limit=1000)
        assert wide["truncated"] and 0 < wide["rowCount"] < 1000, wide["rowCount"]
        assert len(json.dumps(wide["rows"], separators=(",", ":"))) <= 256 * 1024 + 2
        few = await call(client, "read_cypher", query="UNWIND range(1, 3) AS n RETURN n")
        assert few["rowCount"] == 3 and not few["truncated"], few


async def is_no_call(client, tool, arguments):
    """A call whose arguments break the tool's schema, or of a tool that there is not. Gives the message."""
    try:
        await client.call_tool(tool, arguments)
    except MCPError as error:
        assert error.error.code == -32602, error
        return error.error.message
    raise AssertionError(f"{tool} {arguments} was carried out")


async def says_what_is_wrong():
    async with agent() as client:
        result = await client.call_tool("read_cypher", {"query": "RETRUN 1"})
        assert result.is_error and text(result).startswith("Neo.ClientError.Statement.SyntaxError: "), result
        result = await client.call_tool("read_cypher", {"query": "RETURN $n", "parameters": {"n": 2**63}})
        assert result.is_error and "64 bits" in text(result), result
        result = await client.call_tool("read_cypher", {"query": "LOAD CSV FROM 'file:///x' AS r RETURN r"})
        assert result.is_error and "mcp.deny" in text(result), result
        for tool, arguments in (("nothing", {}), ("read_cypher", {}), ("read_cypher", {"query": "RETURN 1", "limit": 0})):
            await is_no_call(client, tool, arguments)


async def writes_only_with_the_tool_for_it():
    query("MATCH (n:AgentMade) DETACH DELETE n")
    async with agent() as client:
        made = await call(client, "write_cypher", query="UNWIND range(1, 9) AS n CREATE (a:AgentMade {n: n}) RETURN a.n AS n", limit=2)
        assert made["rowCount"] == 2 and made["truncated"], made
        made = await call(client, "write_cypher", query="MATCH (a:AgentMade) SET a.x = 1")
        assert made["counters"]["propertiesSet"] == 9, made
        count = await call(client, "read_cypher", query="MATCH (n:AgentMade) RETURN count(n) AS n")
        assert count["rows"] == [{"n": 9}], count
    query("MATCH (n:AgentMade) DETACH DELETE n")


async def calls_named_queries():
    query("MATCH (n:AgentNamed) DETACH DELETE n")
    for mode in ("legacy", NEWEST):
        async with agent(READ_ONLY_URL, mode=mode) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            people, make = tools["people_of"], tools["make"]
            assert (people.title, people.annotations.title) == ("People whose names are given",) * 2, people
            good, bad = {"names": ["Ann", "Bo"]}, {"names": "Ann", "born": "1990-01-02", "age": 1}
            validator = jsonschema.Draft202012Validator(people.input_schema)
            assert validator.is_valid(good) and len(list(validator.iter_errors(bad))) == 2, people.input_schema
            expected = [{"name": name, "born": "1990-01-02", "year": 1990} for name in good["names"]]
            found = await call(client, "people_of", **good)
            assert found == {"columns": ["name", "born", "year"], "rows": expected, "rowCount": 2, "truncated": False}, found
            message = await is_no_call(client, "people_of", bad)
            assert "`names`" in message and "`age`" in message, message
            await is_no_call(client, "hidden", {})
            result = await client.call_tool("people_of", {"names": ["x"] * 6})
            assert result.is_error and text(result).startswith("Boltgate.ClientError.Limit.ResultRows: "), result
            assert not jsonschema.Draft202012Validator(make.input_schema).is_valid({"n": 10})
            await is_no_call(client, "make", {"n": 10})
            assert (await call(client, "make", n=7))["rows"] == [{"n": 7}]
    # The embedded graph of the other gateway is another one.
    assert query("MATCH (n:AgentNamed) RETURN count(n)") == [[2 if USER else 0]]
    query("MATCH (n:AgentNamed) DETACH DELETE n")


def kept():
    """All that an attempt could have changed."""
    return [
        query("MATCH (n:Kept) RETURN labels(n), properties(n) ORDER BY n.n"),
        query("MATCH (n) RETURN count(n)"),
        query("MATCH ()-[r]->() RETURN count(r)"),
        sorted(row[0] for row in query("SHOW INDEXES YIELD name RETURN name")),
        sorted(row[0] for row in query("SHOW CONSTRAINTS YIELD name RETURN name")),
        sorted(map(str, request("/db/system/query/v2", {"statement": "SHOW USERS YIELD user RETURN user"})["data"]["values"]))
        if USER
        else None,
    ]


async def writes_nothing_by_reading():
    query("MATCH (n:Kept) DETACH DELETE n")
    query("CREATE (:Kept {n: 1})-[:HELD]->(:Kept {n: 2})")
    before = kept()
    assert len(ATTEMPTS) >= 60
    async with agent() as client:
        for attempt in ATTEMPTS:
            databases = ["neo4j", "system"] if USER and ("USER" in attempt or "DATABASE" in attempt) else ["neo4j"]
            for database in databases:
                await client.call_tool("read_cypher", {"query": attempt, "database": database})
                assert kept() == before, f"{attempt} on {database}"
    query("MATCH (n:Kept) DETACH DELETE n")


async def is_refused_with_a_wrong_password():
    for headers in ({}, credentials(USER, "wrong"), {"Authorization": "Bearer wrong"}):
        for mode in ("auto", "legacy", NEWEST):
            try:
                async with agent(mode=mode, headers=headers) as client:
                    tools = await client.list_tools()
            except BaseException as error:
                assert not isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)), error
            else:
                raise AssertionError(f"{headers} {mode}: {tools}")


def running():
    return request("/db/neo4j/query/v2/running")["running"]


async def until(reached, what):
    for _ in range(600):
        if await asyncio.to_thread(reached):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"never came: {what}")


async def ends_a_statement_with_its_request():
    async with agent() as client:
        task = asyncio.create_task(client.call_tool("read_cypher", {"query": SLOW, "database": "neo4j"}))
        await until(lambda: any(one["statement"] == SLOW for one in running()), "the statement")
        task.cancel()
        await until(lambda: not any(one["statement"] == SLOW for one in running()), "its end")
        shown = f"SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery = '{SLOW}' RETURN currentQuery"
        await until(lambda: query(shown) == [], "its end in the database")
        assert (await call(client, "read_cypher", query="RETURN 1 AS one"))["rows"] == [{"one": 1}]


TESTS = [
    connects_by_every_revision,
    offers_tools_with_schemas,
    shows_the_schema,
    passes_values_exactly,
    cuts_results_off,
    says_what_is_wrong,
    writes_only_with_the_tool_for_it,
    calls_named_queries,
    writes_nothing_by_reading,
    is_refused_with_a_wrong_password,
    ends_a_statement_with_its_request,
]


# These need a database with users, and one that runs statements for long.
NEED_USERS = {is_refused_with_a_wrong_password, ends_a_statement_with_its_request}


def main():
    failed = 0
    for test in (test for test in TESTS if USER or test not in NEED_USERS):
        name = f"{os.environ.get('BOLTGATE_CLIENT_TARGET', 'agents')}: {test.__name__.replace('_', ' ')}"
        try:
            asyncio.run(asyncio.wait_for(test(), 300))
            print(f"ok - {name}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok - {name}", flush=True)
            traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
