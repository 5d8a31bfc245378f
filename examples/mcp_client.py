#!/usr/bin/env python3
"""What an agent does at /mcp: it lists the tools, looks at the schema, and reads with parameters.

Needs the official SDK (pip install mcp) and a gateway with mcp.enabled = true:

    BOLTGATE_MCP__ENABLED=true boltgate serve --embedded --sample
    examples/mcp_client.py

BOLTGATE_URL is http://127.0.0.1:7474 unless set; BOLTGATE_USER and BOLTGATE_PASSWORD are needed where the database has users.
"""

import asyncio
import base64
import os

from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


def headers():
    user, password = os.environ.get("BOLTGATE_USER"), os.environ.get("BOLTGATE_PASSWORD", "")
    if not user:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def main():
    url = os.environ.get("BOLTGATE_URL", "http://127.0.0.1:7474") + "/mcp"
    async with create_mcp_http_client(headers=headers()) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            print("protocol:", client.protocol_version)
            for tool in (await client.list_tools()).tools:
                print(f"tool: {tool.name}: {tool.title}")

            schema = (await client.call_tool("get_schema")).structured_content
            for label in schema["nodeLabels"]:
                print("label:", label["label"], [item["name"] for item in label["properties"]])

            read = await client.call_tool(
                "read_cypher",
                {"query": "UNWIND $names AS name RETURN name, size(name) AS length", "parameters": {"names": ["Ann", "Bo"]}},
            )
            print("rows:", read.structured_content["rows"])

            # What the database refuses is a result that says why.
            refused = await client.call_tool("read_cypher", {"query": "CREATE (:Unwanted)"})
            print("refused:", refused.is_error, refused.content[0].text)


asyncio.run(main())
