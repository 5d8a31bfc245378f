"""The requests to the gateway while it is counted, and the responses of the canned database.

Every round checks its responses, so that a gateway that returns errors does not look fast.
"""

import base64
import json
import re
import socket

from counting import PATIENCE, Failed
from database import PERSON, SCALARS, WIDE, Answer

RETURN_1 = "RETURN 1 AS n"
POINT_READ = "MATCH (p:Person {id: $id}) RETURN p.name AS name, p.born AS born"
NODES_25 = "MATCH (p:Person) RETURN p LIMIT 25"
WRITE = "UNWIND $rows AS row CREATE (p:Person) SET p = row"
UPDATE = "MATCH (p:Person {id: $id}) SET p.visits = p.visits + 1"
LARGE = {"scalars": SCALARS, "nodes": [PERSON], "strings": WIDE}
BASIC = "Basic " + base64.b64encode(b"neo4j:password1").decode()
JSON, LINES = "application/json", "application/jsonl"
TYPED, TYPED_LINES = "application/vnd.neo4j.query.v1.2", "application/vnd.neo4j.query.v1.2+jsonl"


def large(shape, rows):
    return f"MATCH ({shape}) RETURN * LIMIT {rows}"


def answers(rows):
    """The responses to all statements here. A `large` result has a number of rows for each shape."""
    updated = {"properties-set": 1, "contains-updates": True}
    created = {"nodes-created": 1000, "labels-added": 1000, "properties-set": 5000, "contains-updates": True}
    known = {
        RETURN_1: Answer(["n"], [1], 1),
        POINT_READ: Answer(["name", "born"], ["Ada Lovelace", 1815], 1),
        NODES_25: Answer(["p"], [PERSON], 25),
        UPDATE: Answer([], kind="w", stats=updated),
        WRITE: Answer([], kind="w", stats=created),
    }
    for shape, row in LARGE.items():
        columns = [f"column{number}" for number in range(len(row))]
        known[large(shape, rows[shape])] = Answer(columns, row, rows[shape])
    return known


class Client:
    """One keep-alive HTTP connection."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._socket = socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self._socket.close()

    def post(self, path, body, accept=JSON, content=JSON, authorization=None):
        """Sends a request and returns the body of a successful response."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"POST /db/neo4j/query/v2{path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nContent-Type: {content}\r\n"
        if authorization:
            head += f"Authorization: {authorization}\r\n"
        self._gateway.wait_until_idle()
        self._socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, answer = self._read()
        if status // 100 != 2 or b'"errors":' in answer[-4096:]:
            raise Failed(f"the gateway responded with {status} {answer[-4096:].decode(errors='replace')}")
        return answer

    def _read(self):
        answer = bytearray()
        while (end := answer.find(b"\r\n\r\n")) < 0:
            self._receive(answer)
        head, start = answer[:end].lower(), end + 4
        if length := re.search(rb"\r\ncontent-length: (\d+)", head):
            while len(answer) < start + int(length[1]):
                self._receive(answer)
            body = answer[start:]
        else:
            # JSON text contains no such line ends.
            while not answer.endswith(b"\r\n0\r\n\r\n"):
                self._receive(answer)
            body = unchunked(answer, start)
        return int(head.split()[1]), bytes(body)

    def _receive(self, answer):
        received = self._socket.recv(1 << 20)
        if not received:
            raise Failed(f"the gateway closed the connection after {bytes(answer[-4096:])!r}")
        answer += received


def unchunked(answer, at):
    body = bytearray()
    while True:
        end = answer.index(b"\r\n", at)
        size = int(answer[at:end], 16)
        if size == 0:
            return body
        body += answer[end + 2 : end + 2 + size]
        at = end + 4 + size


def statement(text, parameters=None, **options):
    """A round of one request."""
    body = {"statement": text} | ({"parameters": parameters} if parameters else {})
    body = json.dumps(body).encode()
    return lambda client: client.post("", body, **options)


def transaction(client):
    """Three statements in three requests, the last of which commits."""
    opened = client.post("/tx", {"statement": POINT_READ, "parameters": {"id": 4711}})
    handle = re.search(rb'"transaction":\{"id":"([^"]+)"', opened)[1].decode()
    client.post(f"/tx/{handle}", {"statement": UPDATE, "parameters": {"id": 4711}})
    client.post(f"/tx/{handle}/commit", {"statement": UPDATE, "parameters": {"id": 4712}})


def batch(client):
    statements = [{"statement": UPDATE, "parameters": {"id": number}} for number in range(10)]
    answer = client.post("/batch", {"statements": statements})
    if answer.count(b'"queryType":"w"') != 10:
        raise Failed(f"not ten results: {answer!r}")


def write_1000():
    row = {"name": "Ada Lovelace", "email": "ada@example.org", "born": 1815, "score": 0.75, "active": True}
    return statement(WRITE, {"rows": [row | {"id": number} for number in range(1000)]})


def result(shape, rows, accept):
    """A round that reads a large result and counts its rows."""
    asked = statement(large(shape, rows), accept=accept)
    sign = {"scalars": b"Ada Lovelace", "nodes": b"4:8a1d7d4e", "strings": b'"plain by plain by plain by plain by "'}[shape]

    def round_(client):
        if (found := asked(client).count(sign)) != rows:
            raise Failed(f"{found} of {rows} rows of {shape}")

    return round_
