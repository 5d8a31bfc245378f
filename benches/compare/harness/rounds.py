"""All contenders on all workloads, interleaved, so that a change in the machine's speed affects everybody."""

import random
import statistics
import sys

from .measure import Failed

MEASURES = ("throughput", "p50_us", "p99_us", "first_byte_us", "cpu_us", "peak_bytes", "bytes")


def cells(workloads, contenders):
    """What is measured: (workload, connections, [(contender, format)])."""
    for workload in workloads:
        for connections in workload.connections:
            bearable = connections == 1 or not workload.is_large
            members = [contender for contender in contenders if contender.streams or bearable]
            yield workload, connections, [(contender, "plain") for contender in members]
    # The other formats, for the workloads where their cost is visible.
    for workload in workloads:
        if workload.kind == "statement" and not workload.writes:
            connections = 64 if 64 in workload.connections else 1
            others = [(contender, form) for contender in contenders for form in contender.formats[1:]]
            yield workload, connections, others


def measure(meter, workloads, contenders, rounds, seed, tidy=None):
    """Runs every cell `rounds` times, each time in a different order, and returns the medians.

    `tidy` removes the data of writes.
    """
    shuffle = random.Random(seed)
    runs, failures = {}, {}
    for number in range(rounds):
        for workload, connections, members in cells(workloads, contenders):
            order = members.copy()
            shuffle.shuffle(order)
            for contender, form in order:
                key = (workload.name, connections, contender.name, form)
                if key in failures:
                    continue
                try:
                    figures = meter.run(contender, workload, form, connections)
                except Failed as failure:
                    failures[key] = str(failure)
                    print(f"FAILED: {failure}", file=sys.stderr)
                    continue
                finally:
                    if tidy and workload.writes:
                        tidy()
                if figures:
                    runs.setdefault(key, []).append(figures)
            print(f"round {number + 1} of {rounds}: {workload.name}, {connections} connections", file=sys.stderr)
    return [median(key, figures) for key, figures in runs.items()], list(failures.values())


def median(key, runs):
    """One line of the results."""
    workload, connections, contender, form = key
    line = {"workload": workload, "connections": connections, "contender": contender, "format": form}
    for measure in MEASURES:
        values = [figures[measure] for figures in runs if measure in figures]
        if values:
            line[measure] = round(statistics.median(values), 3)
    line["requests"] = sum(figures["requests"] for figures in runs)
    line["rounds"] = len(runs)
    return line
