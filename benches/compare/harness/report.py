"""docs/performance.md: the part between its markers, and the plots beside it."""

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


def write(results, page, pictures):
    """Puts tables into `page` and plots into the folder `pictures`."""
    text = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{page} has no place for results: {BEGIN} … {END}")
    pictures.mkdir(parents=True, exist_ok=True)
    links = []
    for name, (title, picture) in plots.all_plots(results).items():
        (pictures / f"{name}.svg").write_text(picture)
        links.append(f"![{title}]({pictures.name}/{name}.svg)")
    before, rest = text.split(BEGIN, 1)
    page.write_text(f"{before}{BEGIN}\n{tables(results, links)}\n{END}{rest.split(END, 1)[1]}")


def tables(results, links=()):
    """Everything between the markers."""
    parts = [conditions(results), "### Goals", goal_table(results), *links]
    for stage, title in STAGES.items():
        if stage in results:
            parts += [f"### {title}", *stage_tables(results, results[stage])]
    if "limits" in results:
        parts += ["### Growth", growth_table(results["limits"])]
    return "\n\n".join(parts)


def conditions(results):
    machine, versions = results["machine"], results["versions"]
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}; "
        f"load {machine['load']} at the start. Everything on loopback on this machine, the load generator and the "
        f"database too. Medians of {results['rounds']} rounds of {results['seconds']:g} s.\n\n{software}."
    )


def goal_table(results):
    lines = [
        (verdict.measure, verdict.goal, verdict.measured, "yes" if verdict.met else "**no**")
        for verdict in goals.verdicts(results)
    ]
    return table(("measure", "goal", "measured", "met"), lines)


def stage_tables(results, lines):
    for workload, title in results["workloads"].items():
        chosen = [line for line in lines if line["workload"] == workload and line["format"] == "plain"]
        if chosen:
            yield f"#### {title[0].upper()}{title[1:]}"
            yield workload_table(results, chosen)
    formats = [line for line in lines if line["format"] != "plain"]
    if formats:
        yield "#### Formats"
        yield format_table(results, lines, formats)


def workload_table(results, lines):
    heading = (
        "", "connections", "requests/s", "median", "p99", "first byte", "CPU per request", "peak memory", "answer"
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
        "answer",
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
    return "Per row of four scalars, without the request's own share:\n\n" + table(("rows", "CPU", "time"), lines)


def table(heading, lines):
    right = ["---" if place == 0 else "--:" for place in range(len(heading))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heading, right, *lines))


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
