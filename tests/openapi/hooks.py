"""How schemathesis writes the bodies whose types it does not know: all are JSON, of which lines have one value each."""

import json

import schemathesis

JSON = ["application/vnd.neo4j.query", *(f"application/vnd.neo4j.query.v1.{minor}" for minor in range(3))]
LINES = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/jsonl",
    *(f"application/vnd.neo4j.query.v1.{minor}+jsonl" for minor in range(3)),
]


@schemathesis.serializer(*JSON, *LINES)
def as_json(_context, value):
    return json.dumps(value).encode()
