"""Builds everything that is measured, with the dependencies from lock files."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent


@dataclass
class Built:
    """The paths of everything that was built."""

    programs: Path  # a folder with the programs of the bench
    boltgate: Path  # as in the container image, without the embedded database
    python: Path
    express: Path  # a folder with server.mjs and node_modules


def everything(cache, boltgate=None):
    """Builds what is missing. If `boltgate` is given, it is used unchanged."""
    # The gateway's own folder, so that common dependencies are built once.
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    cargo(HERE, target)
    if boltgate is None:
        cargo(REPOSITORY, target, "--no-default-features", "--bin", "boltgate")
        # Copied, because a build with the embedded database overwrites it.
        boltgate = Path(shutil.copy2(target / "release" / "boltgate", cache / "boltgate"))
    return Built(target / "release", boltgate.resolve(), python(cache), express(cache))


def cargo(folder, target, *arguments):
    command = ["cargo", "build", "--release", "--locked", "--quiet", *arguments]
    run(command, folder, {"CARGO_TARGET_DIR": str(target)})


def python(cache):
    """A virtual environment with the packages of requirements.txt, recreated when these change."""
    requirements = HERE / "gateways" / "requirements.txt"
    venv, stamp = cache / "venv", cache / "venv" / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        run(["python3", "-m", "venv", "--clear", venv])
        run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements])
        stamp.write_text(requirements.read_text())
    return venv / "bin" / "python"


def express(cache):
    """The Express gateway with its packages, in a folder of the cache."""
    source, folder = HERE / "gateways" / "express", cache / "express"
    folder.mkdir(exist_ok=True)
    lock, stamp = (source / "package-lock.json").read_text(), folder / "installed"
    for name in ("package.json", "package-lock.json", "server.mjs"):
        (folder / name).write_text((source / name).read_text())
    if not stamp.exists() or stamp.read_text() != lock:
        run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], folder)
        stamp.write_text(lock)
    return folder


def run(command, folder=HERE, environment=None):
    subprocess.run([str(part) for part in command], cwd=folder, env={**os.environ, **(environment or {})}, check=True)
