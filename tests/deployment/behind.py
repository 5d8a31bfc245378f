#!/usr/bin/env python3
"""Two gateways behind a real proxy, with its file of docs/deployment.

    behind.py GATEWAY-BINARY haproxy|nginx|envoy [--tls]

With --tls, the proxy reaches the gateways by TLS. Each check is a line, "ok - …" or "not ok - …"; the exit code is 0 when
all hold.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from load import OK, PATH, Client, Load
from processes import ADDRESSES, Authority, Balancer, Failed, Gateway, free_port, wait_for

# As the files' first lines say.
DRAIN_DELAY = {"haproxy": "10s", "nginx": "15s", "envoy": "15s"}


class Test:
    """The programs, and the count of what did not hold."""

    def __init__(self, binary, kind, tls, work):
        self.label = f"{kind}{' with TLS' if tls else ''}"
        self.work, self.failed = work, 0
        self.authority = Authority(work / "certificates") if tls else None
        self.serial = self.authority.issue() if tls else None
        ports = free_port(list(ADDRESSES.values())), free_port(list(ADDRESSES.values()))
        self.gateways = {name: Gateway(binary, name, ports, work, self.authority) for name in ADDRESSES}
        self.balancer = Balancer(kind, ports, work, self.authority)
        for gateway in self.gateways.values():
            gateway.configure(DRAIN_DELAY[kind])

    def check(self, claim, holds, shown=""):
        print(f"{'ok' if holds else 'not ok'} - {self.label}: {claim}", flush=True)
        if not holds:
            self.failed += 1
            print(f"# {shown}", flush=True)

    def start(self):
        for gateway in self.gateways.values():
            gateway.start()
        self.balancer.start()
        for name in self.gateways:
            wait_for(f"{name} to be used", lambda name=name: self.opens_on(name))

    def stop(self):
        self.balancer.stop()
        for gateway in self.gateways.values():
            if gateway.program:
                gateway.program.kill()

    def opens_on(self, name):
        """Whether a transaction just opened happens to be on that gateway; it is rolled back."""
        try:
            client = Client(self.balancer)
            path, instance, _ = client.begin()
            client.ask("DELETE", path, **{"neo4j-cluster-affinity": instance})
            client.close()
            return instance == name
        except Exception:  # the proxy is not there yet, or knows no gateway yet
            return False

    # ---- where requests of a transaction go ----

    def affinity(self):
        client = Client(self.balancer)
        homes, strays = set(), []
        for number in range(24):
            path, instance, cookie = client.begin()
            homes.add(instance)
            cookie = cookie.partition(";")[0]
            other = next(name for name in self.gateways if name != instance)
            ways = {
                "header": {"neo4j-cluster-affinity": instance},
                "cookie": {"Cookie": cookie},
                "cookie among others": {"Cookie": f"a=b; {cookie}; c=d"},
                "header against cookie": {"neo4j-cluster-affinity": instance, "Cookie": f"boltgate-affinity={other}"},
            }
            for way, headers in ways.items():
                status, _, document = client.ask("POST", path, {"statement": "RETURN 1 AS n"}, **headers)
                if status not in OK:
                    strays.append(f"{number}, by {way}: {status} {document}")
            status, headers, document = client.ask("DELETE", path, **{"neo4j-cluster-affinity": other})
            if (status, headers["neo4j-cluster-affinity"]) != (421, instance):
                strays.append(f"{number}, by the other's header: {status} {dict(headers)}")
            client.ask("DELETE", path, **{"neo4j-cluster-affinity": instance})
        self.check("both gateways open transactions", homes == set(self.gateways), homes)
        self.check("transactions stay with their gateway by header and by cookie, and another one says 421", not strays, strays[:5])
        status, _, _ = client.ask("POST", PATH, {"statement": "RETURN 1"}, **{"neo4j-cluster-affinity": "gw-z"})
        self.check("a gateway that is not known is no obstacle", status in OK, status)

    # ---- what changes under load ----

    def changes(self):
        with Load(self.balancer) as load:
            self.some_answers(load)
            if self.authority:
                self.replace_certificate()
                self.some_answers(load)
            self.replace_settings()
            self.some_answers(load)
            self.check("no transaction is interrupted while no gateway stops", load.interrupted == 0, load.failures[:5])
            statuses = []
            for gateway in self.gateways.values():
                statuses.append(gateway.stop())
                self.some_answers(load)
                gateway.start()
                wait_for(f"{gateway.name} to be used again", lambda name=gateway.name: self.opens_on(name))
                self.some_answers(load)
            self.check("gateways that were told to stop end with status 0", statuses == [0, 0], statuses)
        print(f"# {load.answered} statements, {load.committed} transactions committed, {load.interrupted} interrupted")
        self.check("no request failed that was not of an open transaction", not load.failures, f"{len(load.failures)}: {load.failures[:5]}")

    def some_answers(self, load):
        """Waits until clients have got answers since now."""
        answered, committed = load.answered, load.committed
        wait_for("answers", lambda: load.answered >= answered + 100 and load.committed >= committed + 10)

    def replace_certificate(self):
        self.serial = self.authority.issue()
        for gateway in self.gateways.values():
            wait_for(f"{gateway.name} to show the new certificate", lambda gateway=gateway: gateway.serial() == self.serial)
        self.check("a new certificate is in force without a restart", True)

    def replace_settings(self):
        for gateway in self.gateways.values():
            gateway.configure(DRAIN_DELAY[self.balancer.kind], server_timing=True)
            gateway.reload()
        for name in self.gateways:
            headers = {"neo4j-cluster-affinity": name}
            client = Client(self.balancer)
            changed = lambda: client.ask("POST", PATH, {"statement": "RETURN 1"}, **headers)[1]["Server-Timing"]
            wait_for(f"{name} to take over its settings", changed)
        self.check("changed settings are in force after SIGHUP", True)

    def logs(self):
        for log in sorted(self.work.glob("*.log")):
            print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-15:], sep="\n", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gateway")
    parser.add_argument("proxy", choices=DRAIN_DELAY)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="boltgate-deployment-") as work:
        test = Test(options.gateway, options.proxy, options.tls, Path(work))
        try:
            test.start()
            test.affinity()
            test.changes()
        except Failed as failure:
            test.check(str(failure), False)
        finally:
            test.stop()
            if test.failed:
                test.logs()
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
