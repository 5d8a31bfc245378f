"""The gateway under test: starting it, asking it, and the memory that it takes."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

TYPED = "application/vnd.neo4j.query.v1.2"
# Values that Cypher has no words for.
PARAMETERS = {
    "bytes": {"$type": "Base64", "_value": base64.b64encode(bytes(range(256))).decode()},
    "vector": {"$type": "Vector", "_value": {"coordinatesType": "INT8", "coordinates": ["1", "-2", "3"]}},
    "floats": {"$type": "Vector", "_value": {"coordinatesType": "FLOAT32", "coordinates": ["0.5", "-2.0", "0.1"]}},
    "uuid": {"$type": "UUID", "_value": "67e55044-10b1-426f-9247-bb680e5fe0c8"},
}


class Gateway:
    """A gateway process in front of a database, for a `with` statement."""

    def __init__(self, program, target, settings=None):
        self.target = target
        if target == "embedded":
            database = ["--embedded"]
        else:
            database = ["--database-uri", os.environ["BOLTGATE_TEST_NEO4J_BOLT"]]
        arguments = [program, "serve", "--listen", "127.0.0.1:0", *database]
        # What the tests' own environment has is no setting.
        variables = {name: value for name, value in os.environ.items() if not name.startswith("BOLTGATE_")}
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(arguments, env={**variables, **(settings or {})}, stderr=self.log)

    def __enter__(self):
        limit = time.monotonic() + 120
        while not (serving := re.search(r"serving http://127\.0\.0\.1:(\d+)\s", self.said())):
            if self.process.poll() is not None or time.monotonic() > limit:
                self.__exit__(SystemExit)
                raise SystemExit("the gateway did not start; its log is above")
            time.sleep(0.1)
        self.port = int(serving[1])
        self.url = f"http://127.0.0.1:{self.port}/db/neo4j/query/v2"
        return self

    def __exit__(self, failure, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)
        if failure:
            print(self.said(), file=sys.stderr)
        self.log.close()

    def said(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode()

    def request(self, accept, statement):
        """A request for the rows of a statement."""
        body = {"statement": statement}
        if "$bytes" in statement:
            body["parameters"] = PARAMETERS
        headers = {"Content-Type": TYPED, "Accept": accept}
        return urllib.request.Request(self.url, json.dumps(body).encode(), headers)

    def open(self, accept, statement):
        try:
            return urllib.request.urlopen(self.request(accept, statement), timeout=300)
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{refusal.code}: {refusal.read().decode()}") from None

    def text(self, accept, statement):
        with self.open(accept, statement) as answer:
            return answer.read().decode()

    def typed(self, statement):
        """The fields and the rows of typed values."""
        answer = json.loads(self.text(TYPED, statement))
        if "errors" in answer:
            raise AssertionError(answer["errors"])
        return answer["data"]["fields"], answer["data"]["values"]

    def peak(self):
        """The most memory that the process had since `forget_peak`, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as refs:
            refs.write("5")
