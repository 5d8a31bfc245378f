"""Writes the results: the part of docs/performance.md between its markers, and next to it all tables and the plots."""

from . import goals, plots

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
STAGES = {
    "canned": "In front of a canned Bolt peer",
    "neo4j": "In front of Neo4j",
    "arcadedb": "In front of ArcadeDB",
}
FORMATS = {
    "plain": "`application/json`",
    "typed": "`application/vnd.neo4j.query.v1.2`",
    "lines": "`application/jsonl`",
    "typed-lines": "`application/vnd.neo4j.query.v1.2+jsonl`",
}
MANY = 64  # connections in the summary, where a workload was measured with so many


def write(results, page, folder):
    """Puts the summary into `page`, and all tables and the plots into `folder`."""
    text = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{page} has no markers for the results: {BEGIN} … {END}")
    folder.mkdir(parents=True, exist_ok=True)
    links = []
    for name, (title, picture) in plots.all_plots(results).items():
        (folder / f"{name}.svg").write_text(picture)
        links.append(f"![{title}]({folder.name}/{name}.svg)")
    before, rest = text.split(BEGIN, 1)
    page.write_text(f"{before}{BEGIN}\n{summary(results, links)}\n{END}{rest.split(END, 1)[1]}")
    (folder / "tables.md").write_text(f"# All figures\n\n{tables(results)}\n")


def summary(results, links=()):
    """Everything between the markers."""
    parts = [conditions(results), "### Goals", goal_table(results)]
    for stage, title in STAGES.items():
        if stage in results:
            parts += [f"### {title}", *stage_summary(results, results[stage])]
    if "limits" in results:
        parts += ["### Growth", growth_table(results["limits"])]
    if links:
        parts += ["### Plots", *links]
    return "\n\n".join(parts)


def tables(results):
    """Every figure of the comparison."""
    parts = [conditions(results)]
    for stage, title in STAGES.items():
        if stage in results:
            parts += [f"## {title}", *stage_tables(results, results[stage])]
    return "\n\n".join(parts)


def conditions(results):
    machine, versions = results["machine"], results["versions"]
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}; "
        f"load {machine['load']} at the start. Everything ran on this machine over loopback, including the load generator "
        f"and the database. Medians of {results['rounds']} rounds of {results['seconds']:g} s.\n\n{software}."
    )


def goal_table(results):
    lines = [
        (verdict.measure, verdict.against or "–", verdict.goal, verdict.measured, "yes" if verdict.met else "**no**")
        for verdict in goals.verdicts(results)
    ]
    return table(("measure", "relative to", "goal", "measured", "met"), lines, texts=2)


def stage_summary(results, lines):
    """Two tables: a line for each workload, a column for each contender."""
    plain = [line for line in lines if line["format"] == "plain"]
    workloads = []
    for workload, title in results["workloads"].items():
        chosen = [line for line in plain if line["workload"] == workload]
        connections = MANY if any(line["connections"] == MANY for line in chosen) else 1
        found = {line["contender"]: line for line in chosen if line["connections"] == connections}
        if found:
            workloads.append((f"{title}, {connections} connection{'s' * (connections > 1)}", found))
    yield "Requests (or transactions) per second:"
    yield summary_table(results, workloads, lambda line: number(line["throughput"]))
    yield "CPU time per request (or transaction):"
    yield summary_table(results, workloads, lambda line: time(line["cpu_us"]) if "cpu_us" in line else "")


def summary_table(results, workloads, cell):
    contenders = [name for name in results["titles"] if any(name in found for _, found in workloads)]
    lines = [
        (title, *(cell(found[name]) if name in found else "" for name in contenders)) for title, found in workloads
    ]
    return table(("", *(results["titles"][name] for name in contenders)), lines)


def stage_tables(results, lines):
    for workload, title in results["workloads"].items():
        chosen = [line for line in lines if line["workload"] == workload and line["format"] == "plain"]
        if chosen:
            yield f"### {title[0].upper()}{title[1:]}"
            yield workload_table(results, chosen)
    formats = [line for line in lines if line["format"] != "plain"]
    if formats:
        yield "### Formats"
        yield format_table(results, lines, formats)


def workload_table(results, lines):
    heading = (
        "", "connections", "requests/s", "median", "p99", "first byte", "CPU per request", "peak memory", "response"
    )
    order = list(results["titles"])
    lines = sorted(lines, key=lambda line: (line["connections"], order.index(line["contender"])))
    return table(heading, [(results["titles"][line["contender"]], *figures(line)) for line in lines])


def format_table(results, lines, others):
    """The other formats, and plain JSON where they were measured."""
    cells = {(line["workload"], line["contender"], line["connections"]) for line in others}
    chosen = [line for line in lines if (line["workload"], line["contender"], line["connections"]) in cells]
    orders = [list(results["workloads"]), list(results["titles"]), list(FORMATS)]
    keys = ("workload", "contender", "format")
    chosen.sort(key=lambda line: [order.index(line[key]) for order, key in zip(orders, keys)])
    heading = (
        "", "format", "connections", "requests/s", "median", "p99", "first byte", "CPU per request", "peak memory",
        "response",
    )
    return table(
        heading,
        [
            (
                f"{results['titles'][line['contender']]}: {results['workloads'][line['workload']]}",
                FORMATS[line["format"]], *figures(line),
            )
            for line in chosen
        ],
    )


def figures(line):
    return (
        str(line["connections"]),
        number(line["throughput"]),
        time(line["p50_us"]),
        time(line["p99_us"]),
        time(line["first_byte_us"]),
        time(line["cpu_us"]) if "cpu_us" in line else "",
        f"{line['peak_bytes'] / goals.MIB:.1f} MiB" if "peak_bytes" in line else "",
        size(line["bytes"]) if line["bytes"] else "",
    )


def growth_table(limits):
    lines = [
        (goals.spaced(line["rows"]), f"{line['cpu_ns']:.0f} ns", f"{line['time_ns']:.0f} ns") for line in limits["rows"]
    ]
    return "Cost per row of four scalars, without that of the request itself:\n\n" + table(("rows", "CPU", "time"), lines)


def table(heading, lines, texts=1):
    """A table whose first `texts` columns are text, and all others figures."""
    align = ["---" if place < texts else "--:" for place in range(len(heading))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heading, align, *lines))


def number(value):
    return goals.spaced(round(value)) if value >= 100 else f"{value:.3g}"


def time(microseconds):
    for unit, factor in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= factor:
            return f"{microseconds / factor:.3g} {unit}"
    return f"{microseconds:.3g} µs"


def size(count):
    for unit, factor in (("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"
