"""A canned database: it speaks Bolt 5.4 and always answers known statements in the same way.

Requests that arrive together are answered together, so that the amount of data that the gateway reads at a time does
not depend on which side is faster.
"""

import contextlib
import itertools
import socket
import threading

from packstream import Messages, Structure, integer_behind, message, text


class Tag:
    """Tags of messages and structures."""

    HELLO, GOODBYE, RUN, BEGIN, COMMIT, PULL = 0x01, 0x02, 0x10, 0x11, 0x12, 0x3F
    SUCCESS, RECORD = 0x70, 0x71
    NODE = 0x4E


BOOKMARK = "FB:kcwQAbCGZ0VJTfGs5NEy0qHqC8kB1JA="

SCALARS = [123_456, 0.123_456_789, "Ada Lovelace", "the first to see that the engine could do more than numbers"]
PERSON = Structure(
    Tag.NODE,
    123_456,
    ["Person"],
    {
        "name": "Ada Lovelace",
        "email": "ada.lovelace@example.org",
        "city": "London",
        "country": "United Kingdom",
        "note": "the first to see that the engine could do more than numbers",
        "born": 1815,
        "visits": 7,
        "id": 1_234_567_890_123,
        "score": 0.75,
        "active": True,
    },
    "4:8a1d7d4e-6f0c-4a51-9d7c-2f1f5e0c9b11:123456",
)
WIDE = [part * size for size in (1, 4, 16, 64) for part in ("plain by ", 'a "b"\n\t ', "żółć, 図 ")]


class Answer:
    """The response to a statement: columns, a row that is repeated, and the final metadata."""

    def __init__(self, columns, row=None, rows=0, kind="r", stats=None):
        self.columns, self.rows, self.kind, self.stats = columns, rows, kind, stats
        self.record = message(Tag.RECORD, row) if rows else b""


class Database:
    """Listens on a free port until it is closed."""

    def __init__(self, answers):
        """`answers` maps the text of a statement to its Answer."""
        self._answers = answers
        # Called before each response.
        self.pause = lambda: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        for number in itertools.count():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # It has been closed.
            session = _Session(connection, number, self._answers, self)
            threading.Thread(target=session.serve, daemon=True).start()


class _Session:
    """Serves one connection, which also ends if the gateway disconnects."""

    def __init__(self, connection, number, answers, database):
        self._connection, self._number, self._answers, self._database = connection, number, answers, database
        self._open, self._left, self._inside = None, 0, False

    def serve(self):
        with self._connection as connection, contextlib.suppress(ConnectionError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.recv(20, socket.MSG_WAITALL)
            connection.sendall(bytes([0, 0, 4, 5]))
            messages = Messages()
            while received := connection.recv(1 << 20):
                if answer := b"".join(map(self._answer, messages.feed(received))):
                    self._database.pause()
                    connection.sendall(answer)

    def _answer(self, request):
        match request[1]:
            case Tag.HELLO:
                hints = {"connection.recv_timeout_seconds": 120, "telemetry.enabled": False}
                metadata = {"server": "Neo4j/5.26.0", "connection_id": f"bolt-{self._number}", "hints": hints}
            case Tag.RUN:
                self._open = self._answers[text(request, 2)]
                self._left = self._open.rows
                metadata = {"t_first": 1, "fields": self._open.columns, "db": "neo4j"}
                if self._inside:
                    metadata["qid"] = 0
            case Tag.PULL:
                return self._rows(integer_behind(request, "n"))
            case Tag.BEGIN:
                self._inside, metadata = True, {}
            case Tag.COMMIT:
                self._inside, metadata = False, {"bookmark": BOOKMARK}
            case Tag.GOODBYE:
                return b""
            case _:
                self._inside, metadata = False, {}
        return message(Tag.SUCCESS, metadata)

    def _rows(self, wanted):
        rows = self._left if wanted < 0 else min(wanted, self._left)
        self._left -= rows
        if self._left:
            metadata = {"has_more": True}
        else:
            metadata = {"t_last": 1, "type": self._open.kind, "db": "neo4j"}
            if self._open.stats:
                metadata["stats"] = self._open.stats
            if not self._inside:
                metadata["bookmark"] = BOOKMARK
        return self._open.record * rows + message(Tag.SUCCESS, metadata)
