"""`boltgate query` in a terminal: what a person sees, types, and interrupts.

Usage: terminal.py GATEWAY-BINARY. Prints TAP lines. Every wait is for something on the screen or in the database; its
limit is reached only by a failure.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

PATIENCE = 120
COLUMNS = 70
# Takes far longer than any test.
ENDLESS = "UNWIND range(1, 10000000) AS a UNWIND range(1, 10000000) AS b WITH a, b WHERE a < 0 RETURN count(*)"

gateway = sys.argv[1]
folder = tempfile.mkdtemp()
environment = {name: value for name, value in os.environ.items() if not name.startswith("BOLTGATE_")}
# People type its name, whatever the file is called.
programs = os.path.join(folder, "programs")
os.mkdir(programs)
os.symlink(gateway, os.path.join(programs, "boltgate"))
environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "PS1": "$ ", "LC_ALL": "C.UTF-8", "HOME": folder}


def wait_for(what, look):
    """Looks until there is something, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


class Terminal:
    """A shell in a terminal of its own."""

    count = 0

    def __init__(self):
        Terminal.count += 1
        self.socket = os.path.join(folder, f"tmux-{Terminal.count}")
        self.commands = 0
        shell = ["bash", "--norc", "--noprofile"]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", "50", *shell)
        self.type("cd /; PS1='$ '; clear", "Enter")
        self.run("true")

    def tmux(self, *arguments):
        command = ["tmux", "-S", self.socket, *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def type(self, text, *keys):
        if text:
            self.tmux("send-keys", "-l", text)
        for key in keys:
            self.tmux("send-keys", key)

    def screen(self):
        """What was ever shown."""
        return self.tmux("capture-pane", "-p", "-S", "-")

    def wait(self, pattern):
        try:
            return wait_for(pattern, lambda: re.search(pattern, self.screen(), re.MULTILINE))
        except AssertionError as error:
            raise AssertionError(f"{error} on this screen:\n{self.screen()}") from None

    def start(self, command):
        """Types a command, behind which its exit status will be shown."""
        self.commands += 1
        # Broken up, so that the line that was typed does not look like the end.
        self.type(f"{command}; echo 'end '{self.commands}' 'status $?", "Enter")

    def end(self):
        """Waits until the command has ended, and returns its exit status."""
        return int(self.wait(rf"^end {self.commands} status (\d+)$").group(1))

    def run(self, command):
        self.type("clear", "Enter")
        self.tmux("clear-history")
        self.start(command)
        return self.end()

    def close(self):
        self.tmux("kill-server")


class Gateway:
    """A gateway with the embedded database."""

    def __init__(self):
        self.log = open(os.path.join(folder, "gateway.log"), "w+")
        command = [gateway, "serve", "--embedded", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, env=environment, stderr=self.log)
        self.url = wait_for("the gateway", self.find)

    def find(self):
        with open(self.log.name) as log:
            found = re.search(r"serving (http://127\.0\.0\.1:\d+)", log.read())
        return found and found.group(1)

    def running(self):
        with urllib.request.urlopen(f"{self.url}/db/neo4j/query/v2/running", timeout=PATIENCE) as answer:
            return [statement["statement"] for statement in json.load(answer)["running"]]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def rows(*arguments):
    """What `boltgate query` writes, row by row, without the header."""
    command = [gateway, "query", "--quiet", *arguments]
    written = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return written.stdout.splitlines()[1:]


def a_table_fits_the_terminal(terminal, served):
    statement = "UNWIND range(1, 3) AS n RETURN n, 'row ' + toString(n) AS short, $long AS long"
    assert terminal.run(f"boltgate query --url {served.url} \"{statement.replace('$', chr(92) + '$')}\" --param long={'x' * 200}") == 0
    screen = terminal.screen()
    assert re.search(r"^n \| short \| long$", screen, re.MULTILINE), screen
    assert re.search(r"^3 \| row 3 \| x{20,}…$", screen, re.MULTILINE), screen
    assert re.search(r"^3 rows in ", screen, re.MULTILINE), screen


def values_cannot_control_the_terminal(terminal, served):
    assert terminal.run(f"boltgate query --url {served.url} 'RETURN $t AS t' --param 't=\"a\\u001b[2Jb\\u0007\\u202ec\"'") == 0
    assert r"a\u001b[2Jb\u0007\u202ec" in terminal.screen(), terminal.screen()


def other_formats_are_chosen_by_name(terminal, served):
    assert terminal.run(f"boltgate query --url {served.url} 'RETURN 1 AS n' --format json") == 0
    terminal.wait(r'^\{"data":\{"fields":\["n"\],')
    assert terminal.run(f"boltgate query --url {served.url} 'RETURN 1 AS n' --format arrow") == 2
    terminal.wait("a terminal cannot show Arrow")
    assert terminal.run(f"boltgate query --url {served.url} 'RETURN 1 AS n' | cat") == 0
    terminal.wait(r"^1$")


def progress_is_shown_and_ctrl_c_cancels(terminal, served):
    terminal.type("clear", "Enter")
    terminal.start(f"boltgate query --url {served.url} '{ENDLESS}'")
    terminal.wait(r"^waiting for the first row, \d+ s")
    assert served.running() == [ENDLESS], served.running()
    terminal.type("", "C-c")
    assert terminal.end() == 130
    wait_for("the end of the statement", lambda: served.running() == [])
    assert "waiting" not in terminal.screen(), terminal.screen()


def ctrl_c_ends_an_embedded_database(terminal, _):
    terminal.type("clear", "Enter")
    terminal.start(f"boltgate query '{ENDLESS}' --embedded")
    terminal.wait(r"^waiting for the first row, \d+ s")
    terminal.type("", "C-c")
    assert terminal.end() == 130


def a_password_is_asked_for_and_not_shown(terminal, served):
    terminal.type("clear", "Enter")
    # Standard input is the statement.
    terminal.start(f"echo 'RETURN 7 AS n' | boltgate query --url {served.url} --user ada")
    terminal.wait(r"^Password of ada for ")
    terminal.type("s3cret", "Enter")
    assert terminal.end() == 0
    terminal.wait(r"^n$")
    assert "s3cret" not in terminal.screen(), terminal.screen()
    terminal.type("echo shown-again", "Enter")
    terminal.wait(r"^\$ echo shown-again$")


def ctrl_c_at_the_password_brings_the_echo_back(terminal, served):
    terminal.type("clear", "Enter")
    terminal.start(f"boltgate query --url {served.url} --user ada 'RETURN 1'")
    terminal.wait(r"^Password of ada for ")
    terminal.type("", "C-c")
    assert terminal.end() == 130
    assert terminal.run("stty -a | grep -qw -- echo") == 0


def a_statement_can_be_typed(terminal, served):
    terminal.type("clear", "Enter")
    terminal.start(f"boltgate query --url {served.url}")
    terminal.wait(r"^Type a statement")
    terminal.type("RETURN 5 AS five", "Enter", "C-d")
    assert terminal.end() == 0
    terminal.wait(r"^five$")


def bash_completes_commands_flags_and_values(terminal, _):
    assert terminal.run("source <(boltgate completions bash)") == 0
    for typed, completed in [
        ("boltgate que", "boltgate query "),
        ("boltgate query --datab", "boltgate query --database"),
        ("boltgate query --format nd", "boltgate query --format ndjson "),
        ("boltgate completions power", "boltgate completions powershell "),
    ]:
        terminal.type("clear", "Enter")
        terminal.wait(r"\A\$")
        terminal.type(typed, "Tab")
        terminal.wait(rf"^\$ {re.escape(completed.strip())}")
        terminal.type("", "C-c")


def ctrl_c_cancels_in_neo4j(terminal, _):
    uri = os.environ["BOLTGATE_TEST_NEO4J_BOLT"]
    marked = f"{ENDLESS} // {os.path.basename(folder)}"
    running = "SHOW TRANSACTIONS YIELD currentQuery AS q WHERE q ENDS WITH $mark RETURN q"
    find = lambda: rows("--database-uri", uri, running, "--param", f"mark={os.path.basename(folder)}")
    terminal.type("clear", "Enter")
    terminal.start(f"boltgate query --database-uri {uri} '{marked}'")
    wait_for("the statement in Neo4j", find)
    terminal.wait(r"^waiting for the first row, \d+ s")
    terminal.type("", "C-c")
    assert terminal.end() == 130
    # The command waits for Neo4j, so there is nothing left to wait for.
    assert find() == [], find()


def neo4j_asks_for_user_and_password(terminal, _):
    uri = os.environ["BOLTGATE_TEST_NEO4J_AUTH_BOLT"]
    for password, status in [("password1", 0), ("wrong", 3)]:
        terminal.type("clear", "Enter")
        terminal.tmux("clear-history")
        terminal.start(f"boltgate query --database-uri {uri} 'RETURN 1 AS n'")
        terminal.wait(r"^User for bolt")
        terminal.type("neo4j", "Enter")
        terminal.wait(r"^Password of neo4j for ")
        terminal.type(password, "Enter")
        assert terminal.end() == status, terminal.screen()
        assert password not in terminal.screen().replace("wrong credentials", ""), terminal.screen()


WITHOUT_SERVERS = [
    a_table_fits_the_terminal,
    values_cannot_control_the_terminal,
    other_formats_are_chosen_by_name,
    progress_is_shown_and_ctrl_c_cancels,
    ctrl_c_ends_an_embedded_database,
    a_password_is_asked_for_and_not_shown,
    ctrl_c_at_the_password_brings_the_echo_back,
    a_statement_can_be_typed,
    bash_completes_commands_flags_and_values,
]
WITH_NEO4J = [ctrl_c_cancels_in_neo4j, neo4j_asks_for_user_and_password]


def main():
    tests = list(WITHOUT_SERVERS)
    if os.environ.get("BOLTGATE_TEST_NEO4J_BOLT") and os.environ.get("BOLTGATE_TEST_NEO4J_AUTH_BOLT"):
        tests += WITH_NEO4J
    else:
        print("SKIPPED: tests with Neo4j need BOLTGATE_TEST_NEO4J_BOLT and BOLTGATE_TEST_NEO4J_AUTH_BOLT", flush=True)
    served = Gateway()
    failed = 0
    try:
        for test in tests:
            name = test.__name__.replace("_", " ")
            terminal = Terminal()
            try:
                test(terminal, served)
                print(f"ok - {name}", flush=True)
            except Exception:
                failed += 1
                traceback.print_exc()
                print(f"not ok - {name}", flush=True)
            finally:
                terminal.close()
    finally:
        served.stop()
        shutil.rmtree(folder)
    sys.exit(min(failed, 1))


main()
