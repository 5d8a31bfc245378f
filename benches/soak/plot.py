"""The plot of a soak run as hand-written SVG: one panel for each figure, over the same time."""

WIDTH, PANEL, LEFT, RIGHT, TOP = 760, 130, 60, 20, 40
INK, PALE, LINE = "#24292f", "#d0d7de", "#1f6feb"
PANELS = (
    ("memory_bytes", "Resident memory, MiB", 1 << 20),
    ("descriptors", "File descriptors", 1),
    ("pool_connections", "Connections to the database", 1),
    ("requests_per_second", "Requests per second", 1),
)


def plot(lines):
    """An SVG document of the lines of soak.csv."""
    height = TOP + len(PANELS) * PANEL + 30
    minutes = lines[-1]["seconds"] / 60
    title = f"Boltgate under mixed load for {minutes:.0f} minutes"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13" fill="{INK}" role="img">',
        f'<title>{title}</title>\n<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-weight="bold">{title}</text>',
    ]
    for number, (figure, label, unit) in enumerate(PANELS):
        parts += panel(TOP + number * PANEL, label, points_of(lines, figure, unit))
    parts.append(f'<text x="{LEFT}" y="{height - 10}">0</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{height - 10}" text-anchor="end">{minutes:.0f} min</text>\n</svg>\n')
    return "\n".join(parts)


def points_of(lines, figure, unit):
    if figure != "requests_per_second":
        return [(line["seconds"], line[figure] / unit) for line in lines]
    pairs = zip(lines, lines[1:])
    return [(after["seconds"], (after["requests"] - before["requests"]) / max(1, after["seconds"] - before["seconds"])) for before, after in pairs]


def panel(top, label, points):
    """A frame from zero to a little above the highest value, and the line in it."""
    bottom, inner = top + PANEL - 30, PANEL - 50
    last = points[-1][0] or 1
    highest = max(value for _, value in points) * 1.1 or 1
    x = lambda seconds: LEFT + (WIDTH - LEFT - RIGHT) * seconds / last
    y = lambda value: bottom - inner * value / highest
    path = " ".join(f"{x(seconds):.1f},{y(value):.1f}" for seconds, value in points)
    yield f'<text x="{LEFT}" y="{top + 12}">{label}</text>'
    for value in (0, highest / 2, highest):
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{PALE}"/>'
        yield f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>'
    yield f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="1.5"/>'
