"""Instructions of a process, counted by callgrind.

A count is a difference: of a run with the work that is meant, and of one without it that is the same otherwise. What a
process does to start, to warm up and to stop goes out of it.
"""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

# Nothing of the caller's environment gets in, and no clock runs out on a slow machine.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "BOLTGATE_DATABASE__LOGIN_AGE": "1h",
    "BOLTGATE_DATABASE__LIVENESS_AFTER": "1h",
    "BOLTGATE_DATABASE__MAX_LIFETIME": "1h",
}
PATIENCE = 300


class Failed(Exception):
    """Something could not be counted; the text says what."""


def valgrind(profile):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", f"--log-file={profile}.log"]


def collected(profile):
    """What a run that has ended says of itself."""
    log = Path(f"{profile}.log").read_text()
    if found := re.search(r"Collected : (\d+)", log):
        return int(found[1])
    raise Failed(f"callgrind has counted nothing:\n{log}")


def count_program(profile, *command):
    """The instructions of a program that runs to its end by itself."""
    done = subprocess.run(
        [*valgrind(profile), *command], env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} has failed:\n{done.stderr}")
    return collected(profile)


class Gateway:
    """While it runs `port` is known, and `instructions` when it has ended."""

    port = instructions = None

    def __init__(self, process):
        self._tasks = Path("/proc", str(process), "task")

    def wait_until_idle(self):
        """Returns when all threads sleep. Who sends something only then finds the gateway waiting for it, on a fast
        machine and on a slow one; else it would be up to chance which of its ways it takes."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It has ended, which is as good.
            while any(_is_awake(task) for task in self._tasks.iterdir()):
                time.sleep(0.0002)


def _is_awake(task):
    # The state stands behind the name, which is in brackets and may hold anything.
    return (task / "stat").read_bytes().rpartition(b") ")[2][:1] in b"RD"


def keep_to_one_processor():
    """One thread serves then, so that no work goes from thread to thread by chance."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@contextlib.contextmanager
def gateway(profile, binary, database):
    """Runs a gateway under callgrind in front of the database's port."""
    process = subprocess.Popen(
        [*valgrind(profile), binary, "serve", "--listen", "127.0.0.1:0", "--database-uri", f"bolt://127.0.0.1:{database}"],
        env=ENVIRONMENT,
        preexec_fn=keep_to_one_processor,
        stderr=subprocess.PIPE,
        text=True,
    )
    counted = Gateway(process.pid)
    # Whatever happens, it does not outlive this.
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    log = []
    try:
        for line in process.stderr:
            log.append(line)
            if found := re.search(r"serving http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise Failed("the gateway does not start:\n" + "".join(log))
        reader = threading.Thread(target=lambda: log.extend(process.stderr))
        reader.start()  # A full pipe would stop it.
        counted.port = int(found[1])
        yield counted
        process.send_signal(signal.SIGTERM)
        process.wait()
        reader.join()
        if process.returncode != 0:
            raise Failed(f"the gateway has ended with {process.returncode}:\n" + "".join(log[-20:]))
        counted.instructions = collected(profile)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
