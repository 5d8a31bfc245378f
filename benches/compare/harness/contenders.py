"""The contenders, and how to request the same work from each of them."""

import base64
from dataclasses import dataclass, field

JSON = "application/json"
FORMATS = {
    "plain": JSON,
    "typed": "application/vnd.neo4j.query.v1.2",
    "lines": "application/jsonl",
    "typed-lines": "application/vnd.neo4j.query.v1.2+jsonl",
}


@dataclass
class Request:
    """The arguments of the load generator."""

    url: str
    body: dict
    status: int
    headers: list = field(default_factory=list)


@dataclass
class Contender:
    """A contender that answers statements."""

    name: str
    title: str
    process: object  # whose CPU time and memory count; None for clients on Bolt
    formats: tuple = ("plain",)
    streams: bool = True  # otherwise it buffers whole results, and many at a time take minutes and gigabytes

    def request(self, workload, accept):
        """The HTTP request for a workload, or None if it is not supported."""
        raise NotImplementedError


@dataclass
class QueryApi(Contender):
    """Neo4j's Query API, as provided by Neo4j and Boltgate."""

    formats: tuple = tuple(FORMATS)
    login: tuple = None
    batches: bool = False

    def request(self, workload, accept):
        path = {"statement": "", "transaction": "/tx", "batch": "/batch"}[workload.kind]
        if path == "/batch" and not self.batches:
            return None
        statement = {"statement": workload.statement, "parameters": workload.parameters}
        body = {"statements": [statement] * 3} if workload.kind == "batch" else statement
        headers = [f"Content-Type: {JSON}", f"Accept: {FORMATS[accept]}", *basic(self.login)]
        return Request(f"http://{self.process.address}/db/neo4j/query/v2{path}", body, 202, headers)


@dataclass
class Own(Contender):
    """A gateway as users write it: POST /query, and POST /transaction for several statements."""

    streams: bool = False

    def request(self, workload, accept):
        if workload.kind == "transaction":
            return None
        statement = {"statement": workload.statement, "parameters": workload.parameters}
        several = workload.kind == "batch"
        path, body = ("transaction", {"statements": [statement] * 3}) if several else ("query", statement)
        return Request(f"http://{self.process.address}/{path}", body, 200, [f"Content-Type: {JSON}"])


@dataclass
class Bare(Contender):
    """A constant response of the size of Boltgate's."""

    paths: dict = field(default_factory=dict)  # workload: path

    def request(self, workload, accept):
        if workload.kind == "transaction":
            return None
        statement = {"statement": workload.statement, "parameters": workload.parameters}
        return Request(f"http://{self.process.address}/{self.paths[workload.name]}", statement, 202, [f"Content-Type: {JSON}"])


@dataclass
class ArcadeDb(Contender):
    """ArcadeDB's own HTTP API."""

    login: tuple = None

    def request(self, workload, accept):
        if workload.kind != "statement":
            return None
        body = {"language": "opencypher", "command": workload.statement, "params": workload.parameters, "limit": -1}
        headers = [f"Content-Type: {JSON}", *basic(self.login)]
        return Request(f"http://{self.process.address}/api/v1/command/neo4j", body, 200, headers)


@dataclass
class OnBolt(Contender):
    """A client directly on Bolt: a program of the bench instead of the load generator."""

    program: str = "raw"
    address: str = ""
    login: tuple = None

    def arguments(self, workload):
        """The program's arguments without the parameters, or None if the workload is not supported."""
        if workload.kind != "statement":
            return None
        arguments = [self.address, "--statement", workload.statement]
        if self.login:
            arguments += ["--user", self.login[0], "--password", self.login[1]]
        return arguments


def basic(login):
    if not login:
        return []
    return ["Authorization: Basic " + base64.b64encode(":".join(login).encode()).decode()]
