#!/usr/bin/env python3
"""Runs the client guide and further checks against a live Memgraph, and prints the differences.

    examples/check-memgraph.py http://127.0.0.1:7474                  a gateway in front of Memgraph
    examples/check-memgraph.py --boltgate boltgate --memgraph bolt://127.0.0.1:7687
                                                                      the same, with its own gateway

    --user NAME:PASSWORD   credentials; none by default
    --guide FILE           the client guide; default docs/client-guide.md next to this folder
    --embedded             instead of --memgraph: the embedded database, to check that this program works

Needs Python 3.9 or later, a shell and curl. It creates nodes with the labels of the guide and with BoltgateCheck, and removes them; use a
Memgraph that holds no data of yours. Prints a TAP line for each section and each check; the exit status is 0 if everything was as
expected. If you have a Memgraph, please report differences, with its version.
"""

import argparse
import base64
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ANY = "…"
PATIENCE = 60.0


class Differs(Exception):
    """A difference from what is expected."""


# ---- the client guide ----------------------------------------------------------------------------


def sections(guide):
    """Yields (title, has its own settings, names of databases, [(script, [(databases, status, format, text)])])."""
    body = guide.read_text(encoding="utf-8").split("\n# Quickstart\n", 1)[1]
    for part in body.split("\n## ")[1:]:
        title, text = part.split("\n", 1)
        own, names, steps, announced = False, [], [], None
        lines = iter(text.split("\n"))
        for line in lines:
            if line.startswith("```"):
                block = "\n".join(iter(lambda: next(lines), "```"))
                if line == "```sh":
                    steps.append((block, []))
                elif line == "```toml":
                    own = True
                else:
                    steps[-1][1].append((announced[1], announced[0], line[3:], block))
            elif line == "Prints nothing.":
                steps[-1][1].append(([], None, "text", ""))
            elif line == "Prints:":
                announced = (None, [])
            elif match := re.fullmatch(r"Status (\d+)((?:, [^:]+)*):", line):
                announced = (int(match[1]), match[2].split(", ")[1:])
            elif match := re.fullmatch(r"\*Runs on (.*)\.\*", line):
                names = match[1].split(", ")
        yield title, own, names, steps


# Sections of the guide that need preparations on Memgraph.
NEEDS_PREPARATION = {
    "With user and password": "needs the user memgraphUser",
    "Impersonation": "needs the users admin and user1, and a licence",
    "Another database": "needs the database analytics, and a licence",
    "Users": "changes who may log in",
    "LOAD CSV": "needs a file on the server",
    **dict.fromkeys(
        ["How often it is tried", "How long it is tried", "Retried as a whole", "A conflict without a retry"],
        "needs a conflicting transaction; see \"a conflict\" below",
    ),
}
# Those that the embedded database cannot show either.
NEEDS_ANOTHER_WRITER = ["A conflict without a retry"]


def glob(pattern, found):
    return re.fullmatch(".*".join(map(re.escape, pattern.split(ANY))), found, re.S) is not None


def compare(pattern, found, kept, at="answer"):
    if pattern == ANY:
        return
    if isinstance(pattern, str) and isinstance(found, str):
        if pattern.startswith("$"):
            kept[pattern[1:]] = found
        elif not glob(pattern, found):
            raise Differs(f"{at}: {found!r}, not {pattern!r}")
    elif isinstance(pattern, list) and isinstance(found, list) and len(pattern) == len(found):
        for i, (one, other) in enumerate(zip(pattern, found)):
            compare(one, other, kept, f"{at}[{i}]")
    elif isinstance(pattern, dict) and isinstance(found, dict):
        for name in pattern.keys() - {ANY}:
            if name not in found:
                raise Differs(f"{at} has no {name!r}")
            compare(pattern[name], found[name], kept, f"{at}.{name}")
        if ANY not in pattern and (more := found.keys() - pattern.keys()):
            raise Differs(f"{at} has {sorted(more)} too")
    elif type(pattern) is not type(found) or pattern != found:
        raise Differs(f"{at}: {json.dumps(found, ensure_ascii=False)}, not {json.dumps(pattern, ensure_ascii=False)}")


def compare_text(form, pattern, printed, kept):
    if form == "json":
        compare(json.loads(pattern), json.loads(printed), kept)
    elif form == "jsonl":
        one, other = pattern.splitlines(), printed.splitlines()
        compare([json.loads(line) for line in one], [json.loads(line) for line in other], kept)
    elif form == "http":
        head, body = printed.replace("\r\n", "\n").split("\n\n", 1)
        wanted, body_pattern = pattern.split("\n\n", 1)
        for line in wanted.lower().splitlines():
            if not any(glob(line, found) for found in head.lower().splitlines()):
                raise Differs(f"no {line!r} among the headers")
        compare(json.loads(body_pattern), json.loads(body), kept)
    elif not glob(pattern.strip(), printed.strip()):
        raise Differs(f"{printed!r}, not {pattern!r}")


class Shell:
    """A shell in its own folder, for all requests of a section. It maps the guide's address to the gateway."""

    def __init__(self, address, user):
        self.folder = tempfile.TemporaryDirectory()
        settings = f'connect-to = "127.0.0.1:7474:{address}"\nsilent\nshow-error\nmax-time = 60\n'
        settings += 'write-out = "%{stderr}status %{http_code}\\n"\n'
        if user:
            settings += f'user = "{user}"\n'
        (Path(self.folder.name) / ".curlrc").write_text(settings)
        environment = {"CURL_HOME": self.folder.name, "PATH": os.environ["PATH"]}
        pipe = subprocess.PIPE
        self.shell = subprocess.Popen(["sh"], cwd=self.folder.name, env=environment, stdin=pipe, stdout=pipe, text=True)

    def run(self, script):
        file = lambda kind: Path(self.folder.name) / f"typed.{kind}"  # noqa: E731
        file("sh").write_text(script, encoding="utf-8")
        # Files of its own: what an earlier script left in the background goes on writing to those of that script.
        self.type("rm -f typed.out typed.err; . ./typed.sh </dev/null >typed.out 2>typed.err; echo ready")
        self.shell.stdout.readline()
        said = file("err").read_text(errors="replace").splitlines()
        statuses = [int(line[7:]) for line in said if line.startswith("status ")]
        complaints = [line for line in said if not line.startswith("status ")]
        return file("out").read_text(encoding="utf-8"), (statuses or [None])[-1], "\n".join(complaints)

    def type(self, line):
        self.shell.stdin.write(line + "\n")
        self.shell.stdin.flush()

    def close(self):
        self.shell.kill()
        self.shell.wait()
        self.folder.cleanup()


def play(steps, database, address, user):
    shell = Shell(address, user)
    try:
        for script, answers in steps:
            named = [answer for answer in answers if database in answer[0]]
            _, status, form, pattern = (named or [answer for answer in answers if not answer[0]])[0]
            is_read = script.startswith("curl http") and not re.search(r" (-d|--data|--json|-X)", script)
            deadline = time.monotonic() + PATIENCE
            while True:
                printed, got, complaints = shell.run(script)
                kept = {}
                try:
                    if status is not None and status != got:
                        raise Differs(f"the status is {got}, not {status}")
                    compare_text(form, pattern, printed, kept)
                    break
                except (Differs, ValueError) as why:
                    if is_read and time.monotonic() < deadline:
                        time.sleep(0.05)
                        continue
                    raise Differs(f"{why}\n{script}\n{printed}{complaints}") from None
            for name, value in kept.items():
                shell.type(f"{name}='" + value.replace("'", "'\\''") + "'")
    finally:
        shell.close()


# ---- further checks ------------------------------------------------------------------------------


class Gateway:
    def __init__(self, url, user, database):
        self.url, self.database = url, database
        self.authorization = "Basic " + base64.b64encode(user.encode()).decode() if user else None

    @property
    def address(self):
        return self.url.split("://", 1)[1].rstrip("/")

    def send(self, method, path, body=None, headers=(), database=None):
        headers = {"Content-Type": "application/json", "Boltgate-Statuses": "precise", **dict(headers)}
        if self.authorization:
            headers["Authorization"] = self.authorization
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.url}/db/{database or self.database}/query/v2{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def post(self, path, body, **how):
        return self.send("POST", path, body, **how)

    def run(self, statement, **more):
        return self.post("", {"statement": statement, **more})

    def rows(self, statement, **more):
        status, answer = self.run(statement, **more)
        if status != 202 or "errors" in answer:
            raise Differs(f"{statement}: {status} {json.dumps(answer)}")
        return answer["data"]["values"]

    def count(self, label="BoltgateCheck"):
        return self.rows(f"MATCH (n:{label}) RETURN count(n)")[0][0]

    def clear(self):
        self.rows("MATCH (n:BoltgateCheck) DETACH DELETE n")

    def in_background(self, *arguments, **how):
        """Sends a request in the background; call the result for its response."""
        answer = []
        thread = threading.Thread(target=lambda: answer.append(self.post(*arguments, **how)), daemon=True)
        thread.start()

        def wait():
            thread.join(PATIENCE + 60)
            return answer[0] if answer else (None, {"errors": [{"message": "no response"}]})

        return wait


def want(holds, what):
    if not holds:
        raise Differs(what)


def code(answer):
    return (answer.get("errors") or [{}])[0].get("code")


# Runs long enough to be cancelled.
LONG = "UNWIND range(1, 2000000000) AS i WITH i WHERE i < 0 RETURN count(i) AS n"


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        want(time.monotonic() < deadline, what)
        time.sleep(0.1)


def running(gateway):
    return gateway.send("GET", "/running")[1]["running"]


def listed(gateway, part):
    """The number of transactions in SHOW TRANSACTIONS whose statement contains this part."""
    status, answer = gateway.run("SHOW TRANSACTIONS")
    want(status == 202 and "errors" not in answer, f"SHOW TRANSACTIONS: {answer}")
    column = answer["data"]["fields"].index("query")
    texts = [" ".join(row[column] or []) for row in answer["data"]["values"]]
    return sum(part in text for text in texts)


def read_mode_prevents_writes(gateway):
    write = "CREATE (:BoltgateCheck)"
    batch = {"statements": [{"statement": write}], "accessMode": "READ"}
    for path, body in [("", None), ("/tx", None), ("/batch", batch)]:
        status, answer = gateway.post(path, body or {"statement": write, "accessMode": "READ"})
        want(status == 400 and code(answer) == "Neo.ClientError.Statement.AccessMode", f"{path}: {status} {answer}")
    want(gateway.count() == 0, "a statement in read mode has written")
    gateway.rows("MATCH (n:BoltgateCheck) RETURN n", accessMode="READ")


def show_and_profile_run_in_read_mode(gateway):
    for statement in ["SHOW INDEX INFO", "SHOW VERSION", "PROFILE MATCH (n:BoltgateCheck) RETURN n"]:
        gateway.rows(statement, accessMode="READ")


def an_unknown_database(gateway):
    for path in ["", "/tx"]:
        status, answer = gateway.post(path, {"statement": "RETURN 1"}, database="boltgate-has-none")
        want(status == 404 and code(answer) == "Neo.ClientError.Database.DatabaseNotFound", f"{status} {answer}")
        want(gateway.rows("RETURN 1") == [[1]], "the next request is not served")


def a_conflict(gateway):
    gateway.rows("CREATE (:BoltgateCheck {transactions: 0})")
    _, begun = gateway.post("/tx", {"statement": "MATCH (n:BoltgateCheck) SET n.transactions = 1"})
    path = f"/tx/{begun['transaction']['id']}"
    status, answer = gateway.run("MATCH (n:BoltgateCheck) SET n.transactions = 2", retry=False)
    want(status == 409, f"without a retry: {status} {answer}")
    other = gateway.in_background("", {"statement": "MATCH (n:BoltgateCheck) SET n.transactions = 3"})
    time.sleep(0.2)
    want(gateway.post(f"{path}/commit", {})[0] == 202, "the first transaction cannot commit")
    status, answer = other()
    want(status == 202 and "errors" not in answer, f"with retries, and a property called transactions: {status} {answer}")
    want(gateway.rows("MATCH (n:BoltgateCheck) RETURN n.transactions") == [[3]], "the second transaction has no effect")


def a_constraint(gateway):
    gateway.rows("CREATE CONSTRAINT ON (n:BoltgateCheck) ASSERT n.id IS UNIQUE")
    try:
        gateway.rows("CREATE (:BoltgateCheck {id: 1})")
        status, answer = gateway.run("CREATE (:BoltgateCheck {id: 1})")
        want(status == 409 and code(answer) == "Neo.ClientError.Schema.ConstraintValidationFailed", f"{status} {answer}")
    finally:
        gateway.rows("DROP CONSTRAINT ON (n:BoltgateCheck) ASSERT n.id IS UNIQUE")


def an_error_that_quotes_another_error(gateway):
    status, answer = gateway.run("RETURN `Cannot resolve conflicting transactions`")
    want(status == 400, f"{status} {answer}")


def administration_outside_transactions(gateway):
    batch = {"statements": [{"statement": "SHOW INDEX INFO"}]}
    status, answer = gateway.post("/batch", batch)
    message = (answer.get("errors") or [{}])[0].get("message", "")
    want(status == 400 and "in multicommand transactions" in message, f"{status} {answer}")
    gateway.rows("SHOW INDEX INFO")


def a_session_statement_with_comments(gateway):
    gateway.rows("SET/**/SESSION TRANSACTION ISOLATION LEVEL SNAPSHOT ISOLATION")
    gateway.rows("SET /* */ NEXT TRANSACTION ISOLATION LEVEL SNAPSHOT ISOLATION")


def values_round_trip(gateway):
    typed = {"Content-Type": "application/vnd.neo4j.query"}
    for kind, sent, expected in [
        ("ZonedDateTime", "2026-02-28T12:50:35+01:00[CET]", "2026-02-28T12:50:35+01:00[Europe/Brussels]"),
        ("ZonedDateTime", "2026-02-28T11:50:35Z[UTC]", "2026-02-28T11:50:35Z[Etc/UTC]"),
        ("Point", "SRID=9757;POINT Z (1.0 2.0 3.0)", "SRID=9157;POINT Z (1.0 2.0 3.0)"),
        ("Duration", "P1DT2H", "P1DT2H"),
        ("Date", "1969-12-31", "1969-12-31"),
    ]:
        body = {"statement": "RETURN $x AS x", "parameters": {"x": {"$type": kind, "_value": sent}}}
        status, answer = gateway.post("", body, headers={**typed, "Accept": typed["Content-Type"]})
        want(status == 202, f"{sent}: {status} {answer}")
        found = answer["data"]["values"][0][0]
        want(found.get("_value") == expected, f"{sent} is returned as {found}, not as {expected}")


def a_notification(gateway):
    gateway.rows("CREATE INDEX ON :BoltgateCheck(name)")
    try:
        _, answer = gateway.run("CREATE INDEX ON :BoltgateCheck(name)")
        codes = [one["code"] for one in answer.get("notifications", [])]
        want("IndexAlreadyExists" in codes, f"{answer}")
    finally:
        gateway.rows("DROP INDEX ON :BoltgateCheck(name)")


def a_time_limit(gateway):
    status, answer = gateway.run(LONG, maxExecutionTime=1)
    want(status == 504 and code(answer) == "Neo.ClientError.Transaction.TransactionTimedOut", f"{status} {answer}")


def a_time_limit_while_streaming(gateway):
    rows = "UNWIND range(1, 2000000000) AS i RETURN i, 'some text that fills the buffers of the server' AS text"
    status, answer = gateway.run(rows, maxExecutionTime=2)
    want(code(answer) == "Neo.ClientError.Transaction.TransactionTimedOut", f"{status} {answer.get('errors')}")
    numbers = [row[0] for row in answer.get("data", {}).get("values", [])]
    want(numbers == list(range(1, len(numbers) + 1)), "rows are missing in the middle")


def a_cancelled_statement(gateway):
    client = gateway.in_background("", {"statement": LONG})
    wait_until(lambda: any(one["statement"] == LONG for one in running(gateway)), "it never started")
    (one,) = [one for one in running(gateway) if one["statement"] == LONG]
    status, answer = gateway.send("DELETE", f"/running/{one['id']}")
    want(status == 200, f"{status} {answer}")
    _, answer = client()
    want(code(answer) == "Neo.ClientError.Transaction.Terminated", f"{answer}")
    wait_until(lambda: listed(gateway, "2000000000") == 0, "it is still running")


def a_cancelled_write_matches_its_response(gateway):
    for attempt in range(9):
        write = f"UNWIND range(1, 3000000) AS i WITH count(i) AS n CREATE (:BoltgateCheck {{attempt: {attempt}, n: n}})"
        client = gateway.in_background("", {"statement": write, "retry": False})
        time.sleep(0.05 * attempt)
        for one in running(gateway):
            if one["statement"] == write:
                gateway.send("DELETE", f"/running/{one['id']}")
        status, answer = client()
        wait_until(lambda: listed(gateway, "3000000") == 0, "it is still running")
        written = gateway.rows("MATCH (n:BoltgateCheck {attempt: $a}) RETURN count(n)", parameters={"a": attempt})[0][0]
        if "errors" not in answer:
            want(written == 1, f"reported as carried out, but missing: {answer}")
        elif code(answer) == "Neo.ClientError.Transaction.Terminated":
            want(written == 0, f"reported as terminated, but committed: {answer}")


def abandon(gateway, statement):
    """Sends a request and returns its connection, without reading the response."""
    host, port = gateway.address.rsplit(":", 1)
    body = json.dumps({"statement": statement}).encode()
    head = f"POST /db/{gateway.database}/query/v2 HTTP/1.1\r\nHost: {gateway.address}\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: application/json\r\n"
    if gateway.authorization:
        head += f"Authorization: {gateway.authorization}\r\n"
    client = socket.create_connection((host, int(port)))
    client.sendall(head.encode() + b"\r\n" + body)
    return client


def an_abandoned_statement(gateway):
    client = abandon(gateway, LONG)
    wait_until(lambda: listed(gateway, "2000000000") > 0, "Memgraph never shows it")
    client.close()
    wait_until(lambda: listed(gateway, "2000000000") == 0, "it is still running")


def stalled_readers(gateway):
    rows = "UNWIND range(1, 100000) AS i RETURN i, reduce(s = 'x', j IN range(1, 15) | s + s) AS text"
    clients = [abandon(gateway, rows) for _ in range(16)]
    try:
        time.sleep(2)
        begun = time.monotonic()
        want(gateway.rows("RETURN 1") == [[1]], "no response")
        want(time.monotonic() - begun < 20, f"other requests wait for {time.monotonic() - begun:.0f} s")
    finally:
        for client in clients:
            client.close()


CHECKS = [
    read_mode_prevents_writes,
    show_and_profile_run_in_read_mode,
    an_unknown_database,
    a_conflict,
    a_constraint,
    an_error_that_quotes_another_error,
    administration_outside_transactions,
    a_session_statement_with_comments,
    values_round_trip,
    a_notification,
    a_time_limit,
    a_time_limit_while_streaming,
    a_cancelled_statement,
    a_cancelled_write_matches_its_response,
    an_abandoned_statement,
    stalled_readers,
]
# Checks that also apply to the embedded database.
ON_EMBEDDED = [read_mode_prevents_writes, an_unknown_database]


# ---- main ----------------------------------------------------------------------------------------


def serve(arguments):
    """Starts a gateway, and returns its process and address once it responds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [arguments.boltgate, "serve", "--listen", f"127.0.0.1:{port}", "--log-filter", "warn"]
    if arguments.embedded:
        command.append("--embedded")
    else:
        command += ["--database-uri", arguments.memgraph]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return process, url
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                sys.exit(f"the gateway does not respond: {error}")
            time.sleep(0.1)


def version_of(gateway):
    status, answer = gateway.run("SHOW VERSION")
    if status == 202 and "errors" not in answer:
        return answer["data"]["values"][0][0]
    sys.exit(f"SHOW VERSION failed, so this is not a reachable Memgraph: {status} {json.dumps(answer)}")


def check(name, what, *arguments):
    """Runs a check, prints its result, and returns whether it passed."""
    try:
        what(*arguments)
        print(f"ok - {name}", flush=True)
        return True
    except Exception as why:  # noqa: BLE001
        print(f"not ok - {name}", flush=True)
        print("\n".join(f"  {line}" for line in f"{why!s}".splitlines()), flush=True)
        return False


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--boltgate")
    parser.add_argument("--memgraph")
    parser.add_argument("--embedded", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--guide", type=Path, default=here.parent / "docs" / "client-guide.md")
    arguments = parser.parse_args()
    own = arguments.boltgate and (arguments.memgraph or arguments.embedded)
    if bool(arguments.url) == bool(own):
        parser.error("give either a gateway's address, or --boltgate with --memgraph")
    process, url = serve(arguments) if own else (None, arguments.url.rstrip("/"))
    try:
        failed = go(Gateway(url, arguments.user, "memgraph"), arguments)
    finally:
        if process:
            process.terminate()
            process.wait()
    print(f"{failed} differ" if failed else "all as expected")
    return 1 if failed else 0


def go(gateway, arguments):
    database = "embedded" if arguments.embedded else "Memgraph"
    print(f"# {database} {'' if arguments.embedded else version_of(gateway)} behind {gateway.url}")
    failed = 0
    found = list(sections(arguments.guide))
    tidy = [section for section in found if section[0] == "What this page has made"]
    for title, own, names, steps in tidy + found:
        why = "needs a gateway with its own settings" if own else NEEDS_PREPARATION.get(title)
        if database not in names:
            continue
        if why and (own or title in NEEDS_ANOTHER_WRITER or not arguments.embedded):
            print(f"# skipped - the guide: {title} {why}")
            continue
        failed += not check(f"the guide: {title}", play, steps, database, gateway.address, arguments.user)
    for further in ON_EMBEDDED if arguments.embedded else CHECKS:
        gateway.clear()
        failed += not check(further.__name__.replace("_", " "), further, gateway)
        gateway.clear()
    return failed


if __name__ == "__main__":
    sys.exit(main())
