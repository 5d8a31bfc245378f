"""Builds the programs to be counted from a source tree."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from counting import Failed
from parts import Binaries

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()


def build(tree, into):
    """Builds like users do, and copies the result, since the next build may overwrite it."""
    into.mkdir(parents=True, exist_ok=True)
    # A bench in trees that are older, which comes first: Cargo then builds a gateway with the features of the tests'
    # dependencies, too.
    kind = "--bench" if '[[bench]]\nname = "instructions"' in (Path(tree) / "Cargo.toml").read_text() else "--example"
    work = _cargo(tree, kind, "instructions")
    gateway = _cargo(tree, "--bin", "boltgate")
    return Binaries(gateway=shutil.copy2(gateway, into / "boltgate"), work=shutil.copy2(work, into / "work"))


def _cargo(tree, kind, name):
    command = ["cargo", "build", "--release", "--locked", kind, name, "--message-format=json-render-diagnostics"]
    # One target folder for all trees, so that dependencies are built only once.
    variables = os.environ | {"CARGO_TARGET_DIR": str(TARGET)}
    built = subprocess.run(command, cwd=tree, env=variables, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise Failed(f"{' '.join(command)} failed in {tree}")
    for line in built.stdout.splitlines():
        artifact = json.loads(line)
        if artifact.get("executable") and artifact["target"]["name"] == name:
            return artifact["executable"]
    raise Failed(f"cargo did not report {name}")


@contextlib.contextmanager
def checked_out(commit):
    """The files of a commit, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="boltgate-instructions-") as folder:
        archive = subprocess.Popen(["git", "-C", REPOSITORY, "archive", commit], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
        if archive.wait() != 0:
            raise Failed(f"there is no commit {commit}")
        if not (Path(folder) / "benches/instructions/work.rs").exists():
            raise Failed(f"{commit} is older than benches/instructions")
        yield Path(folder)


def last_change(file):
    """The commit of the baseline: the last one that changed it."""
    command = ["git", "-C", REPOSITORY, "log", "-1", "--format=%H", "--", file]
    commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not commit:
        raise Failed(f"no commit contains {file}")
    return commit
