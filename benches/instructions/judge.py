"""The baseline: its figures, the environment in which they were counted, and the comparison with new ones."""

import json
import os
import platform
import subprocess

from counting import ENVIRONMENT

LIMIT = 0.05


def environment(binaries):
    """What counts depend on besides the source. Figures of different environments cannot be compared."""
    seen = subprocess.run(
        ["valgrind", "--tool=none", "--quiet", binaries.work, "processor"],
        env=ENVIRONMENT, capture_output=True, text=True, check=True,
    )
    return {
        "rustc": _first_line("rustc", "--version"),
        "rustflags": os.environ.get("RUSTFLAGS", ""),
        "valgrind": _first_line("valgrind", "--version"),
        "libc": " ".join(platform.libc_ver()),
        "processor": seen.stdout.strip(),
    }


def _first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


class Baseline:
    """Reads a file of figures. A missing file is empty."""

    def __init__(self, file):
        self._file = file
        content = json.loads(file.read_text()) if file.exists() else {}
        self.environment = content.get("environment", {})
        self.instructions = content.get("instructions", {})

    def differences(self, found):
        """The differences between this environment and the baseline's, as text."""
        keys = [key for key in found if found[key] != self.environment.get(key)]
        return [f"{key}: {found[key] or 'none'}, baseline {self.environment.get(key) or 'none'}" for key in keys]

    def accept(self, environment, counts):
        instructions = {count.part: round(count.instructions, 1) for count in counts}
        content = {"environment": environment, "instructions": instructions}
        self._file.write_text(json.dumps(content, indent=2) + "\n")


def change(now, before):
    return now / before - 1 if before else None


def table(counts, before, title):
    """A Markdown table. `before` maps parts to instructions."""
    yield f"| {'part':52} | {'instructions':>12} | per {'':11} | {title:>12} | change |"
    yield f"|:{'-' * 53}|{'-' * 13}:|{'-' * 17}|{'-' * 13}:|-------:|"
    for count in counts:
        old = before.get(count.part)
        moved = change(count.instructions, old)
        yield "| {:52} | {:>12} | {:15} | {:>12} | {:>6} |".format(
            count.part, _figure(count.instructions), count.unit, _figure(old), "" if moved is None else f"{moved:+.1%}"
        )


def _figure(number):
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 1000 else f"{number:,.1f}"


def findings(counts, before, title):
    """The reasons against a merge: a sentence for each part with a problem."""
    for count in counts:
        moved = change(count.instructions, before.get(count.part))
        if moved is None:
            yield f"{count.part}: is not in {title}"
        elif abs(moved) > LIMIT:
            yield f"{count.part}: {'grew' if moved > 0 else 'shrank'} by {abs(moved):.1%}"
    for part in before.keys() - {count.part for count in counts}:
        yield f"{part}: is in {title}, but is no longer counted"
