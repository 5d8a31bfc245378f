"""Clients that ask all the time and look at each answer.

Owns what counts as a failure: any request that does not get its own value back, unless it belonged to an explicit
transaction that was open while a gateway stopped.
"""

import http.client
import json
import threading
from datetime import datetime, timezone

PATH = "/db/neo4j/query/v2"
OK = (200, 202)


class Client:
    """One connection, kept as long as the other side keeps it, with the headers that a driver would send."""

    def __init__(self, balancer):
        self.connection = http.client.HTTPConnection(balancer.host, balancer.port, timeout=60)

    def ask(self, method, path, body=None, **headers):
        """The status, the headers and the body's document."""
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": "application/json", "Accept": "application/json", **headers})
        response = self.connection.getresponse()
        raw = response.read()
        return response.status, response.headers, json.loads(raw) if raw else None

    def begin(self):
        """The transaction's path, and the headers and cookie that say where it is."""
        status, headers, document = self.ask("POST", f"{PATH}/tx", {"statement": "RETURN 0 AS n"})
        if status not in OK:
            raise Refused("BEGIN", status, document)
        return f"{PATH}/tx/{document['transaction']['id']}", headers["neo4j-cluster-affinity"], headers["Set-Cookie"]

    def close(self):
        self.connection.close()


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, what, status, document):
        super().__init__(f"{what}: {status} {json.dumps(document)[:200]}")
        self.status = status


class Load:
    """Threads that send statements, and others that use transactions, until they are told to stop."""

    def __init__(self, balancer, statements=4, transactions=2):
        self.balancer = balancer
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.answered = self.committed = self.interrupted = 0
        self.failures = []
        work = [self._statements] * statements + [self._by_header] * transactions + [self._by_cookie] * transactions
        self.threads = [threading.Thread(target=self._run, args=(one,)) for one in work]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def _run(self, work):
        client = Client(self.balancer)
        number = 0
        # The pause leaves the machine to the programs.
        while not self.ending.wait(0.005):
            number += 1
            try:
                work(client, number)
            except Exception as error:  # whatever it is, a client has not got its answer
                # The time, to look it up in the logs.
                with self.lock:
                    self.failures.append(f"{datetime.now(timezone.utc):%T.%f} {type(error).__name__}: {error}")
                client.close()

    def _count(self, **more):
        with self.lock:
            for name, by in more.items():
                setattr(self, name, getattr(self, name) + by)

    def _statements(self, client, number):
        status, _, document = client.ask("POST", PATH, {"statement": "RETURN $n AS n", "parameters": {"n": number}})
        if status not in OK or document["data"]["values"] != [[number]]:
            raise Refused("statement", status, document)
        self._count(answered=1)

    def _by_header(self, client, number):
        self._transaction(client, number, lambda instance, cookie: {"neo4j-cluster-affinity": instance})

    def _by_cookie(self, client, number):
        self._transaction(client, number, lambda instance, cookie: {"Cookie": cookie.partition(";")[0]})

    def _transaction(self, client, number, affinity):
        path, instance, cookie = client.begin()
        headers = affinity(instance, cookie)
        try:
            for _ in range(3):
                status, _, document = client.ask("POST", path, {"statement": "RETURN $n AS n", "parameters": {"n": number}}, **headers)
                if status not in OK or document["data"]["values"] != [[number]]:
                    raise Refused("in a transaction", status, document)
            status, _, document = client.ask("POST", f"{path}/commit", {}, **headers)
            if status not in OK:
                raise Refused("COMMIT", status, document)
            self._count(committed=1)
        except (Refused, OSError, http.client.HTTPException):
            # It was open while its gateway stopped: nothing else interrupts one, as the part without stops shows.
            self._count(interrupted=1)
            client.close()
