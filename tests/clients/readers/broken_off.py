"""What programs make of an answer that breaks off after its first rows: none of them may take it for whole."""

import http.client
import json
import subprocess
from pathlib import Path

import requests

HERE = Path(__file__).parent
# The gateway that is asked has a limit of one mebibyte.
STATEMENT = "UNWIND range(1, 60000) AS i RETURN i, 'this is row number ' + toString(i) AS text"


def readers(gateway, accept, folder):
    """Name and check of each program."""
    body = json.dumps({"statement": STATEMENT})
    headers = {"Content-Type": "application/json", "Accept": accept}
    said = '{"$error":{"code":"Boltgate.ClientError.Limit.ResultBytes"'

    def of_http_client():
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        connection.request("POST", "/db/neo4j/query/v2", body, headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        fails(http.client.IncompleteRead, answer.read)

    def of_urllib():
        with gateway.open(accept, STATEMENT) as answer:
            fails(http.client.IncompleteRead, answer.read)

    def of_requests():
        fails(requests.exceptions.ChunkedEncodingError, lambda: requests.post(gateway.url, body, headers=headers, timeout=60))

    def of_curl(*options, status):
        out = folder / "out"
        named = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
        curl = subprocess.run(["curl", "--silent", "--output", out, *options, *named, "--data", body, gateway.url])
        assert curl.returncode == status, f"curl ended with {curl.returncode}"
        text = out.read_text(errors="replace")
        assert len(text) > 10_000, "rows came before it"
        assert (said in text.splitlines()[-1]) == (accept == "application/x-ndjson"), text[-500:]

    def of_fetch():
        node = ["node", HERE / "fetch.mjs", gateway.url, accept, STATEMENT]
        said = subprocess.run(node, capture_output=True, text=True, check=True).stdout
        assert said.startswith("failed: "), said

    return [
        ("http.client", of_http_client),
        ("urllib", of_urllib),
        ("requests", of_requests),
        ("curl", lambda: of_curl(status=18)),
        ("curl, HTTP/2", lambda: of_curl("--http2-prior-knowledge", status=92)),
        ("curl, compressed", lambda: of_curl("--compressed", status=18)),
        ("Node's fetch", of_fetch),
    ]


def fails(kind, read):
    try:
        read()
    except kind:
        return
    raise AssertionError("the answer was taken for whole")
