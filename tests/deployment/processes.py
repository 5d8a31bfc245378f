"""Programs that live as long as the test, and certificates: two gateways, and the balancer in front of them.

Owns ports and addresses: each gateway has an address of its own within 127.0.0.0/8, so that both have the same ports, as on
two machines.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

DEPLOYMENT = Path(__file__).resolve().parents[2] / "docs/deployment"
ADDRESSES = {"gw-a": "127.0.0.11", "gw-b": "127.0.0.12"}
# Far longer than anything here takes; reached only when something has failed.
PATIENCE = 180
NAME = "graph.example.com"


class Failed(Exception):
    """The test itself cannot go on."""


def wait_for(what, condition, patience=PATIENCE):
    """Waits until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"waited {patience} s in vain for: {what}")
        time.sleep(0.05)
    return value


def free_port(hosts):
    """A port that is free on all of the addresses."""
    while True:
        with socket.socket() as first:
            first.bind((hosts[0], 0))
            port = first.getsockname()[1]
            try:
                for host in hosts[1:]:
                    with socket.socket() as other:
                        other.bind((host, port))
            except OSError:
                continue
            return port


class Program:
    """A program whose standard output and error go into a file."""

    def __init__(self, command, log, environment=None):
        with log.open("a") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    def running(self):
        return self.process.poll() is None

    def stop(self):
        """Tells it to end, and returns its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self):
        """Ends it without waiting for what it does."""
        if self.running():
            self.process.kill()
            self.process.wait()


class Authority:
    """Issues certificates for NAME, into a folder whose content changes by one symbolic link, as mounted secrets do."""

    def __init__(self, folder):
        self.folder = folder
        self.issued = 0
        folder.mkdir()
        self._openssl(*"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=authority".split(),
                      "-keyout", "ca.key", "-out", "ca.crt")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def issue(self):
        """Puts a new certificate in force, and returns its serial number."""
        self.issued += 1
        folder = self.folder / f"..{self.issued}"
        folder.mkdir()
        self._openssl(*"req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(), "-subj", f"/CN={NAME}",
                      "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", f"{folder}/tls.key", "-out", f"{folder}/request")
        self._openssl("x509", "-req", "-days", "30", "-in", f"{folder}/request", "-CA", "ca.crt", "-CAkey", "ca.key", "-copy_extensions",
                      "copy", "-set_serial", str(self.issued), "-out", f"{folder}/tls.crt")
        link = self.folder / "..new"
        link.symlink_to(folder)
        link.replace(self.folder / "..data")
        for file in ("tls.crt", "tls.key"):
            if not (self.folder / file).exists():
                (self.folder / file).symlink_to(f"..data/{file}")
        return self.issued

    def client(self):
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        context.set_alpn_protocols(["http/1.1"])
        return context


class Gateway:
    """One of the two, with the embedded database."""

    def __init__(self, binary, name, ports, work, authority):
        self.binary, self.name, self.authority = binary, name, authority
        self.host, (self.port, self.admin_port) = ADDRESSES[name], ports
        self.log, self.file = work / f"{name}.log", work / f"{name}.toml"
        self.program = None

    def configure(self, drain_delay, server_timing=False):
        tls = ""
        if self.authority:
            folder = self.authority.folder
            tls = f'[server.tls]\ncertificate = "{folder}/tls.crt"\nkey = "{folder}/tls.key"\nreload = "1s"\n'
        self.file.write_text(
            f'[server]\nlisten = "{self.host}:{self.port}"\ninstance = "{self.name}"\ndrain_delay = "{drain_delay}"\n'
            f'allowed_hosts = ["*"]\n{tls}[admin]\nlisten = "{self.host}:{self.admin_port}"\n'
            f"[http]\nserver_timing = {str(server_timing).lower()}\n"
        )

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("BOLTGATE_", "OTEL_"))}
        self.program = Program([self.binary, "serve", "--embedded", "--config", self.file], self.log, environment)
        wait_for(f"{self.name} to be ready", lambda: self._alive() and self.ready())

    def _alive(self):
        if not self.program.running():
            raise Failed(f"{self.name} ended")
        return True

    def ready(self):
        return b"200 OK" in self._ask("/ready").partition(b"\r\n")[0]

    def _ask(self, path):
        try:
            with socket.create_connection((self.host, self.admin_port), PATIENCE) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                return b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError:
            return b""

    def serial(self):
        """The serial number of the certificate that it shows."""
        with socket.create_connection((self.host, self.port), PATIENCE) as connection:
            with self.authority.client().wrap_socket(connection, server_hostname=NAME) as tls:
                return int(tls.getpeercert()["serialNumber"], 16)

    def reload(self):
        self.program.process.send_signal(signal.SIGHUP)

    def stop(self):
        return self.program.stop()


class Balancer:
    """A real proxy with its file of docs/deployment, in which only addresses, ports and paths are replaced."""

    FILES = {"haproxy": "haproxy.cfg", "nginx": "nginx.conf", "envoy": "envoy.yaml"}

    def __init__(self, kind, ports, work, authority):
        self.kind, self.work, self.log = kind, work, work / f"{kind}.log"
        self.host, self.port = "127.0.0.1", free_port(["127.0.0.1"])
        text = (DEPLOYMENT / self.FILES[kind]).read_text(encoding="utf-8")
        replaced = {"10.0.0.11": ADDRESSES["gw-a"], "10.0.0.12": ADDRESSES["gw-b"], "0.0.0.0": self.host,
                    "7470": str(self.port), "7474": str(ports[0]), "7475": str(ports[1])}
        text = re.sub("|".join(rf"\b{re.escape(old)}\b" for old in replaced), lambda match: replaced[match[0]], text)
        if authority:
            text = self._with_tls(text, authority)
        self.file = work / self.FILES[kind]
        self.file.write_text(text)
        self.program = None

    def _with_tls(self, text, authority):
        """The lines that the file has for gateways with TLS, put in force."""
        text = text.replace("/etc/haproxy/gateways-ca.pem", f"{authority.folder}/ca.crt")
        text = text.replace("/etc/nginx/gateways-ca.pem", f"{authority.folder}/ca.crt")
        if self.kind == "haproxy":
            return text.replace("#default-server ssl", "default-server ssl")
        if self.kind == "nginx":
            return text.replace("#proxy_ssl_", "proxy_ssl_").replace("proxy_pass http://", "proxy_pass https://")
        raise Failed(f"the file of {self.kind} has no lines for TLS")

    def start(self):
        if not shutil.which(self.kind):
            raise Failed(f"the program {self.kind} is missing")
        commands = {
            "haproxy": ["haproxy", "-db", "-f", self.file],
            "nginx": ["nginx", "-c", self.file, "-p", self.work, "-g", f"daemon off; pid {self.work}/nginx.pid;"],
            "envoy": ["envoy", "--disable-hot-restart", "--concurrency", "1", "--log-level", "warn", "-c", self.file],
        }
        self.program = Program(commands[self.kind], self.log)

    def stop(self):
        """Not by force, which would leave nginx's workers behind."""
        if self.program and self.program.running():
            self.program.stop()
