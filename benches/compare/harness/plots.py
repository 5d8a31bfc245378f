"""Plots as hand-written SVG: horizontal bars, and lines."""

import math
from html import escape

WIDTH, LABELS, ROW = 760, 190, 26
INK, PALE, OURS, OTHERS = "#24292f", "#d0d7de", "#1f6feb", "#8c959f"
COLOURS = (OURS, "#bc4c00", "#1a7f37", "#8250df", "#bf8700", "#57606a", "#cf222e")


def all_plots(results):
    """The plots for which there are figures: name, (title, SVG)."""
    plots = {}
    found = {
        "cpu": ("CPU time of the gateway per RETURN 1, 64 connections", "µs", bars_of(results, "canned", "return-1", 64, "cpu_us")),
        "neo4j-scalars": (
            f"{results['workloads'].get('scalars', '')} from Neo4j", "ms", bars_of(results, "neo4j", "scalars", 1, "p50_us", 1e-3)
        ),
        "neo4j-nodes": (
            f"{results['workloads'].get('nodes', '')} from Neo4j", "ms", bars_of(results, "neo4j", "nodes", 1, "p50_us", 1e-3)
        ),
    }
    for name, (title, unit, values) in found.items():
        if values:
            plots[name] = (title, bars(title, unit, values))
    for stage, title in (("canned", "a canned Bolt peer"), ("neo4j", "Neo4j"), ("arcadedb", "ArcadeDB")):
        series = series_of(results, stage)
        if series:
            title = f"RETURN 1 in front of {title}: requests per second by connections"
            plots[f"{stage}-throughput"] = (title, lines(title, series))
    return plots


def bars_of(results, stage, workload, connections, figure, factor=1.0):
    chosen = [
        (results["titles"][line["contender"]], line[figure] * factor)
        for line in results.get(stage, ())
        if (line["workload"], line["connections"], line["format"]) == (workload, connections, "plain") and figure in line
    ]
    return sorted(chosen, key=lambda bar: bar[1])


def series_of(results, stage):
    """{title: [(connections, throughput)]}"""
    series = {}
    for line in results.get(stage, ()):
        if (line["workload"], line["format"]) == ("return-1", "plain"):
            points = series.setdefault(results["titles"][line["contender"]], [])
            points.append((line["connections"], line["throughput"]))
    order = list(results["titles"].values())
    return {title: sorted(series[title]) for title in sorted(series, key=order.index)}


def bars(title, unit, values):
    """A horizontal bar for each (label, value). Boltgate's has a colour of its own."""
    room = WIDTH - LABELS - 110
    most = max(value for _, value in values)
    parts = []
    for place, (label, value) in enumerate(values):
        y = 44 + place * ROW
        length = max(1.0, room * value / most)
        colour = OURS if label == "Boltgate" else OTHERS
        parts.append(text(LABELS - 8, y + 14, label, "end"))
        parts.append(f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{ROW - 7}" fill="{colour}"/>')
        parts.append(text(LABELS + length + 6, y + 14, f"{value:.3g} {unit}"))
    return picture(title, 56 + len(values) * ROW, parts)


def lines(title, series):
    """A line for each of the series. Both axes are logarithmic."""
    left, top, width, height = 70, 44, WIDTH - 270, 300
    xs = sorted({x for points in series.values() for x, _ in points})
    ys = [y for points in series.values() for _, y in points]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def at(x, y):
        across = xs.index(x) / max(1, len(xs) - 1)
        return left + across * width, top + height * (1 - (math.log10(y) - low) / max(1, high - low))

    parts = []
    for power in range(low, high + 1):
        _, y = at(xs[0], 10**power)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}" stroke="{PALE}"/>')
        parts.append(text(left - 8, y + 4, f"{10**power:,}".replace(",", " "), "end"))
    for x in xs:
        parts.append(text(at(x, 10**low)[0], top + height + 20, str(x), "middle"))
    for place, (label, points) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        path = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in points)
        stroke = 3 if label == "Boltgate" else 1.5
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{stroke}"/>')
        y = top + 12 + place * 20
        parts.append(f'<rect x="{left + width + 16}" y="{y - 8}" width="14" height="4" fill="{colour}"/>')
        parts.append(text(left + width + 36, y, label))
    return picture(title, top + height + 36, parts)


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def picture(title, height, parts):
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13" fill="{INK}" role="img">'
    )
    name = f"<title>{escape(title)}</title>"
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    heading = f'<text x="12" y="24" font-size="15" font-weight="bold">{escape(title)}</text>'
    return "\n".join([head, name, ground, heading, *parts, "</svg>"]) + "\n"
