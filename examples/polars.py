"""Reads a result into a Polars data frame, as an Arrow stream.

    pip install polars
    boltgate serve --embedded --sample          # in another terminal
    python examples/polars.py

BOLTGATE_URL (default http://127.0.0.1:7474) and BOLTGATE_DATABASE (default neo4j) select the server.
"""

import json
import os
import sys
import urllib.error
import urllib.request

# This file has the name of the library that it shows: Python must not find it in its place.
sys.path = [folder for folder in sys.path if os.path.abspath(folder) != os.path.dirname(os.path.abspath(__file__))]

import polars

URL = os.environ.get("BOLTGATE_URL", "http://127.0.0.1:7474")
DATABASE = os.environ.get("BOLTGATE_DATABASE", "neo4j")


def query(statement, **parameters):
    """The result as a data frame."""
    request = urllib.request.Request(
        f"{URL}/db/{DATABASE}/query/v2",
        data=json.dumps({"statement": statement, "parameters": parameters}).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/vnd.apache.arrow.stream"},
    )
    try:
        # Polars panics if its source fails, so that the whole is read first: that raises IncompleteRead.
        with urllib.request.urlopen(request) as response:
            return polars.read_ipc_stream(response.read())
    except urllib.error.HTTPError as error:
        raise RuntimeError(json.load(error)["errors"][0]["message"]) from None


def main():
    films = query("MATCH (f:Film) WHERE f.year >= $since RETURN f.title AS title, f.year AS year", since=1940)
    print(films.sort("year", "title"))
    print(films.group_by(decade=polars.col("year") // 10 * 10).len().sort("decade"))

    # The fields of a node's struct become columns; labels are a list.
    nodes = query("MATCH (f:Film) RETURN f ORDER BY f.title LIMIT 2").unnest("f")
    titles = nodes["properties"].str.json_path_match("$.title")
    print(nodes["labels"].to_list(), titles.to_list())


main()
