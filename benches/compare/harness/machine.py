"""The machine and the versions that the figures were measured with."""

import os
import platform
import re
import subprocess
from pathlib import Path

from .build import HERE, REPOSITORY


def describe():
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    memory = int(re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)[1])
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 1024 / 1024, 1),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),
    }


def versions(built, with_servers):
    servers = {"Neo4j": server("neo4j"), "ArcadeDB": server("arcadedb")} if with_servers else {}
    return {
        **servers,
        "boltgate": output(built.boltgate, "--version").split()[-1],
        "commit": output("git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD"),
        "rustc": output("rustc", "--version").split()[1],
        "axum": locked("axum"),
        "neo4rs": locked("neo4rs"),
        "python": output(built.python, "--version").split()[1],
        "fastapi": pinned("fastapi"),
        "uvicorn": pinned("uvicorn"),
        "Python driver": pinned("neo4j"),
        "node": output("node", "--version").lstrip("v"),
        "express": installed(built, "express"),
        "JavaScript driver": installed(built, "neo4j-driver"),
    }


def locked(crate):
    lock = (HERE / "Cargo.lock").read_text()
    return re.search(rf'name = "{crate}"\nversion = "(.*)"', lock)[1]


def pinned(package):
    requirements = (HERE / "gateways" / "requirements.txt").read_text()
    return re.search(rf"^{package}==(.*)$", requirements, re.MULTILINE)[1]


def installed(built, package):
    text = (built.express / "package-lock.json").read_text()
    return re.search(rf'"node_modules/{package}": {{\s*"version": "(.*?)"', text)[1]


def server(name):
    script = (REPOSITORY / "tests" / "servers" / name).read_text()
    return re.search(r"^version=(.*)$", script, re.MULTILINE)[1]


def output(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
