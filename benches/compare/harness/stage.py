"""Starts the contenders."""

from .build import HERE
from .contenders import Bare, OnBolt, Own, QueryApi
from .processes import Process, free_port

NOT_LOGGING = {"BOLTGATE_LOG__FILTER": "warn"}


def boltgate(built, cache, database, name="boltgate", settings=None):
    """A gateway in front of the Bolt server at `database`, with as little logging as all contenders."""
    port = free_port()
    command = [built.boltgate, "serve", "--database-uri", f"bolt://{database}", "--listen", f"127.0.0.1:{port}"]
    return Process(name, command, cache / "logs", port, {**NOT_LOGGING, **(settings or {})})


def on_canned_peer(built, cache, meter, workloads):
    """The canned peer, every gateway in front of it, and the limits for comparison."""
    logs = cache / "logs"
    canned = Process("canned", [built.programs / "canned"], logs)
    gateway = QueryApi("boltgate", "Boltgate", boltgate(built, cache, canned.address), batches=True)
    answers, paths = [], {}
    for number, workload in enumerate(workloads):
        answers.append(cache / f"answer-{number}.json")
        meter.run(gateway, workload, save=answers[-1])
        paths[workload.name] = number
    bare = Process("bare", [built.programs / "bare", *answers], logs)
    return canned, [
        gateway,
        Own("neo4rs", "axum + neo4rs", Process("neo4rs", [built.programs / "neo4rs-gateway", canned.address], logs)),
        Own("express", "Express", express(built, logs, canned.address)),
        Own("fastapi", "FastAPI", fastapi(built, logs, canned.address)),
        Bare("bare", "bare axum handler", bare, paths=paths),
        OnBolt("driver", "neo4rs on Bolt", None, program="driver", address=canned.address),
        OnBolt("raw", "raw Bolt client", None, address=canned.address),
    ]


def fastapi(built, logs, database, login=None):
    """One worker, because the CPU time per request is what counts."""
    port = free_port()
    command = [
        built.python, "-m", "uvicorn", "--app-dir", HERE / "gateways", "--host", "127.0.0.1", "--port", port,
        "--no-access-log", "fastapi_gateway:app",
    ]
    return Process("fastapi", command, logs, port, database_settings(database, login))


def express(built, logs, database, login=None):
    port = free_port()
    settings = {**database_settings(database, login), "NODE_ENV": "production", "PORT": str(port)}
    return Process("express", ["node", built.express / "server.mjs"], logs, port, settings)


def database_settings(database, login):
    user, password = login or ("neo4j", "password")
    return {"DATABASE_URI": f"bolt://{database}", "DATABASE_USER": user, "DATABASE_PASSWORD": password}
