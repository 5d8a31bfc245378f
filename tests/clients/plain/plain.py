"""Python's own HTTP clients, http.client and urllib, and a bare socket, against a gateway at BOLTGATE_CLIENT_URL.

Run by run-plain-clients, which says what is tried.
"""

import http.client
import os
import socket
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

URL = os.environ["BOLTGATE_CLIENT_URL"]
HOST = urlsplit(URL).netloc
PATH = "/db/neo4j/query/v2"
JSON = {"Content-Type": "application/json"}
GOOD = b'{"statement":"RETURN 1 AS a"}'
EARLY = [
    ("404", 404, "/nothing", {}, [100, 8_000, 60_000, 3_000_000]),
    ("400", 400, PATH, {"Authorization": "Nope"}, [100, 8_000, 60_000, 3_000_000]),
    ("413", 413, PATH, {}, [3_000_000]),
]

failed = False


def check(name, action):
    global failed
    try:
        action()
        print(f"ok - {name}", flush=True)
    except Exception as error:
        failed = True
        print(f"not ok - {name}: {type(error).__name__}: {error}", flush=True)


def expect(expected, found):
    if expected != found:
        raise AssertionError(f"expected {expected}, found {found}")


class HttpClient:
    """One connection object, which connects anew when it was told that the connection ends."""

    name = "python http.client"

    def __init__(self):
        self.connection = http.client.HTTPConnection(HOST, timeout=60)

    def post(self, path, body, headers):
        self.connection.request("POST", path, body, JSON | headers)
        response = self.connection.getresponse()
        response.read()
        return response.status


class Urllib:
    """A connection for each request."""

    name = "python urllib"

    def post(self, path, body, headers):
        request = urllib.request.Request(URL + path, body, JSON | headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                response.read()
                return response.status
        except urllib.error.HTTPError as error:
            error.read()
            return error.code


def early_answers(client, status, path, headers, size):
    for _ in range(20):
        expect(status, client.post(path, b" " * size, headers))
        expect(202, client.post(PATH, GOOD, {}))


def heads(client):
    for size, status in [(16_400, 202), (60_000, 202), (70_000, 431), (1_000_000, 431)]:
        expect(status, client.post(PATH, GOOD, {"X-Padding": "x" * size}))
        expect(202, client.post(PATH, GOOD, {}))


def half_closed(request):
    with socket.create_connection(tuple(HOST.rsplit(":", 1)), timeout=60) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while data := client.recv(65536):
            answer += data
        return answer


def half_close():
    length = f"Content-Length: {len(GOOD)}\r\n\r\n".encode()
    for version in [b"HTTP/1.1", b"HTTP/1.0"]:
        for lines in [b"", b"Connection: close\r\n"]:
            for _ in range(20):
                end = b" " + version + b"\r\nHost: " + HOST.encode() + b"\r\n" + lines
                expect(b"200", half_closed(b"GET /" + end + b"\r\n").split(b" ")[1])
                post = b"POST " + PATH.encode() + end + b"Content-Type: application/json\r\n" + length + GOOD
                answer = half_closed(post)
                expect((b"202", True), (answer.split(b" ")[1], answer.count(b"HTTP/1.") == 1))


for client in [HttpClient, Urllib]:
    for kind, status, path, headers, sizes in EARLY:
        for size in sizes:
            check(
                f"{client.name}: an early {kind} to a body of {size} bytes",
                lambda: early_answers(client(), status, path, headers, size),
            )
    check(f"{client.name}: long heads", lambda: heads(client()))
check("python socket: half-closed connections", half_close)
sys.exit(failed)
