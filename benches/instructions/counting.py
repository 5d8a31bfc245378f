"""Counts the instructions of a process with callgrind.

A count is the difference of two runs, one with the work and one without it that is otherwise the same. This removes
what a process does to start, to warm up and to stop.
"""

import contextlib
import os
import queue
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The caller's environment has no effect, and timeouts are long enough for a slow machine.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "BOLTGATE_DATABASE__LOGIN_AGE": "1h",
    "BOLTGATE_DATABASE__LIVENESS_AFTER": "1h",
    "BOLTGATE_DATABASE__MAX_LIFETIME": "1h",
}
PATIENCE = 300
PROCESSORS = sorted(os.sched_getaffinity(0))
# Those that no gateway has.
FREE = queue.SimpleQueue()
for processor in PROCESSORS:
    FREE.put(processor)


class Failed(Exception):
    """Something could not be counted. The message says what."""


def valgrind(profile):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", f"--log-file={profile}.log"]


def collected(profile):
    """The count that a finished run has logged."""
    log = Path(f"{profile}.log").read_text()
    if found := re.search(r"Collected : (\d+)", log):
        return int(found[1])
    raise Failed(f"callgrind counted nothing:\n{log}")


def count_program(profile, *command):
    """The instructions of a program that ends by itself."""
    done = subprocess.run(
        [*valgrind(profile), *command], env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return collected(profile)


class Gateway:
    """A running gateway: `port` is known while it runs, `instructions` after its end."""

    port = instructions = None

    def __init__(self, process):
        self._tasks = Path("/proc", str(process), "task")

    def wait_until_idle(self):
        """Waits until all threads sleep. Whatever is sent afterwards finds the gateway waiting for it, on fast and slow
        machines alike; otherwise chance would decide which code path it takes."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It has ended, which will do.
            while any(_is_awake(task) for task in self._tasks.iterdir()):
                time.sleep(0.0002)


def _is_awake(task):
    # The state follows the name, which is in brackets and may contain anything.
    return (task / "stat").read_bytes().rpartition(b") ")[2][:1] in b"RD"


def concurrently(count, parts):
    """What `count` returns for each part, in order. A count does not depend on what else the machine does."""
    with ThreadPoolExecutor(len(PROCESSORS)) as executor:
        yield from executor.map(count, parts)


@contextlib.contextmanager
def gateway(profile, binary, database):
    """Runs a gateway under callgrind, connected to the port `database`. It has one processor and so serves with one thread:
    no work moves between threads by chance."""
    options = ["serve", "--listen", "127.0.0.1:0", "--database-uri", f"bolt://127.0.0.1:{database}"]
    processor = FREE.get()
    process = subprocess.Popen(
        ["taskset", "--cpu-list", str(processor), *valgrind(profile), binary, *options],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    counted = Gateway(process.pid)
    # The gateway must not outlive this function.
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    log = []
    try:
        for line in process.stderr:
            log.append(line)
            if found := re.search(r"serving http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise Failed("the gateway did not start:\n" + "".join(log))
        reader = threading.Thread(target=lambda: log.extend(process.stderr))
        reader.start()  # A full pipe would block the gateway.
        counted.port = int(found[1])
        yield counted
        process.send_signal(signal.SIGTERM)
        process.wait()
        reader.join()
        if process.returncode != 0:
            raise Failed(f"the gateway ended with {process.returncode}:\n" + "".join(log[-20:]))
        counted.instructions = collected(profile)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        FREE.put(processor)
