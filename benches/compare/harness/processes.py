"""The measured processes: started, observed through /proc, and ended with the run."""

import os
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 60.0  # seconds until a process that does not serve is considered broken

_running = []


class Process:
    """A server of the bench, listening on its own port."""

    def __init__(self, name, command, logs, port=None, environment=None):
        """Starts `command`, which is ready once `port` accepts connections, or else prints "listening on HOST:PORT"."""
        self.name = name
        self.log = logs / f"{name}.log"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log if port else subprocess.PIPE,
                stderr=log,
                env={**clean_environment(), **(environment or {})},
                start_new_session=True,
            )
        _running.append(self)
        self.port = port or self._announced_port()
        wait_for_port(self.port, self._check_alive)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.child.pid

    def cpu(self):
        """The CPU seconds so far, user and system, including children that are running or have ended."""
        return cpu_of(self.pid)

    def memory(self):
        """The current memory in bytes."""
        return self._status("VmRSS")

    def peak_memory(self):
        """The peak memory in bytes since the last reset."""
        return self._status("VmHWM")

    def reset_peak(self):
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def stop(self):
        if self in _running:
            _running.remove(self)
        if self.child.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.child.wait()
        if self.child.stdout:
            self.child.stdout.close()

    def _status(self, key):
        return sum(status_of(pid, key) for pid in [self.pid, *descendants(self.pid)])

    def _announced_port(self):
        ready, _, _ = select.select([self.child.stdout], [], [], PATIENCE)
        line = self.child.stdout.readline().decode() if ready else ""
        if not line.startswith("listening on "):
            raise SystemExit(f"{self.name} did not start; see {self.log}")
        return int(line.rsplit(":", 1)[1])

    def _check_alive(self):
        if self.child.poll() is not None:
            raise SystemExit(f"{self.name} ended with {self.child.returncode}; see {self.log}")


class Existing:
    """A server that was started outside the bench, found by the port it listens on."""

    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.pid = listener_of(port)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def cpu(self):
        return cpu_of(self.pid)

    def peak_memory(self):
        return status_of(self.pid, "VmHWM")

    def reset_peak(self):
        """Does nothing: the peak includes what the server did before the bench."""


def stop_all():
    for process in list(_running):
        process.stop()


def clean_environment():
    """The environment without settings of the gateway, so that every run measures the same."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BOLTGATE_")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, check_alive):
    deadline = time.monotonic() + PATIENCE
    while True:
        check_alive()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"nobody listens on port {port}")
            time.sleep(0.02)


def stat_of(pid):
    """The fields of /proc/PID/stat after the name, which may contain anything."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()


def cpu_of(pid):
    ticks = sum(int(field) for field in stat_of(pid)[11:15])
    for child in descendants(pid):
        ticks += sum(int(field) for field in stat_of(child)[11:13])
    return ticks / TICK


def status_of(pid, key):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return 0


def descendants(pid):
    """All living descendants."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except FileNotFoundError:
            continue  # the thread has just ended
        for child in children:
            found += [int(child), *descendants(int(child))]
    return found


def listener_of(port):
    """The process that listens on a local port, or None if it belongs to another user."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(os.readlink(descriptor) in inodes for descriptor in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:
            continue
    raise SystemExit(f"no process of this user listens on port {port}")
