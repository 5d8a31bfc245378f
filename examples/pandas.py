"""Reads a result into a pandas data frame, as an Arrow stream.

    pip install pandas pyarrow
    boltgate serve --embedded --sample          # in another terminal
    python examples/pandas.py

BOLTGATE_URL (default http://127.0.0.1:7474) and BOLTGATE_DATABASE (default neo4j) select the server.
"""

import json
import os
import sys
import urllib.error
import urllib.request

# This file has the name of the library that it shows: Python must not find it in its place.
sys.path = [folder for folder in sys.path if os.path.abspath(folder) != os.path.dirname(os.path.abspath(__file__))]

import pyarrow.ipc

URL = os.environ.get("BOLTGATE_URL", "http://127.0.0.1:7474")
DATABASE = os.environ.get("BOLTGATE_DATABASE", "neo4j")


def query(statement, columns=None, **parameters):
    """The result as a pyarrow table. `columns` has the types of columns that the first rows should not decide."""
    body = {"statement": statement, "parameters": parameters, "arrow": {"columns": columns or {}}}
    request = urllib.request.Request(
        f"{URL}/db/{DATABASE}/query/v2",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/vnd.apache.arrow.stream"},
    )
    try:
        # Batches are read as they arrive. If the statement fails on the way, reading raises IncompleteRead.
        with urllib.request.urlopen(request) as response:
            return pyarrow.ipc.open_stream(response).read_all()
    except urllib.error.HTTPError as error:
        raise RuntimeError(json.load(error)["errors"][0]["message"]) from None


def main():
    films = query(
        "MATCH (f:Film) WHERE f.year >= $since RETURN f.title AS title, f.year AS year ORDER BY year, title", since=1940
    ).to_pandas()
    print(films)
    print(films.dtypes)
    print("mean year:", films["year"].mean())

    # A node is a struct; its properties are JSON, since they differ from node to node.
    nodes = query("MATCH (f:Film) RETURN f ORDER BY f.title LIMIT 2").to_pandas()
    print([json.loads(node["properties"])["title"] for node in nodes["f"]])

    # A declared type holds for every row, whatever the first ones are.
    print(query("UNWIND [1, 2] AS n RETURN n", columns={"n": "float64"}).to_pandas().dtypes["n"])


main()
