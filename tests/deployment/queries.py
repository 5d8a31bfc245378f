#!/usr/bin/env python3
"""Checks that the dashboard and the alert rules ask for metrics that the gateway has.

    queries.py SCRAPE

SCRAPE is what a gateway with TLS answered to GET /metrics after a statement that succeeded and one that failed. A query
may name only series and labels that are in it. Needs promtool, which checks the queries' syntax.

Each check is a line, "ok - …" or "not ok - …"; the exit code is 0 when all hold.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
# What Prometheus adds to every series.
FROM_PROMETHEUS = {"job", "instance"}
# Series that a gateway has only with an issuer of tokens, or with the Cargo feature `otlp`.
NOT_IN_SCRAPE = {"boltgate_jwks_fetches_total": {"issuer", "result"}, "boltgate_otlp_spans_total": {"result"}}
METRIC = re.compile(r"\b(?:boltgate|process)_\w+")
GROUPING = re.compile(r"\bby \(([^)]*)\)")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
STRING = re.compile(r'"[^"]*"')
LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def series_of(scrape):
    """The labels of each series' name, from a text in OpenMetrics."""
    series = {}
    for line in scrape.splitlines():
        if line.startswith("#") or not line:
            continue
        name, labels = re.match(r"(\w+)(?:\{(.*)\})? ", line).groups()
        series.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return series


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def dashboard_queries(dashboard):
    """Where a query stands, the query, and the labels that its legend shows."""
    for panel in panels_of(dashboard):
        for target in panel.get("targets", []):
            yield f"panel \"{panel['title']}\"", target["expr"], set(LEGEND.findall(target["legendFormat"]))
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation \"{annotation['name']}\"", annotation["expr"], set(LEGEND.findall(annotation["titleFormat"]))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            yield f"variable ${variable['name']}", metric, {label}


def rule_queries(rules):
    """As above, of a file whose layout is fixed enough to need no parser that Python does not come with."""
    for rule in re.split(r"^ +- alert: ", rules, flags=re.MULTILINE)[1:]:
        expression = re.search(r"^ +expr: (?:\|\n)?(.*?)^ +(?:for|labels):", rule, flags=re.MULTILINE | re.DOTALL).group(1)
        yield f"rule {rule.split(maxsplit=1)[0]}", expression, set(re.findall(r"\$labels\.(\w+)", rule))


def faults_of(query, shown, series):
    """What a query names and the gateway does not have."""
    names = set(METRIC.findall(STRING.sub('""', query)))
    faults = [f"no metric {name}" for name in sorted(names - series.keys())]
    labels = set(MATCHER.findall(query)) | shown
    for grouping in GROUPING.findall(query):
        labels.update(label.strip() for label in grouping.split(","))
    known = FROM_PROMETHEUS.union(*(series.get(name, ()) for name in names))
    return faults + [f"no label {label} on {', '.join(sorted(names))}" for label in sorted(labels - known)]


def syntax_error(queries):
    """What promtool says about the queries, as recording rules; Grafana's variables are filled in."""
    rules = []
    for _, query, _ in queries:
        query = query.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*")
        rules.append({"record": f"query:{len(rules)}", "expr": query})
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        # JSON is YAML.
        json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        check = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    return "" if check.returncode == 0 else check.stdout + check.stderr


def importable(dashboard):
    """What would keep somebody else's Grafana from showing the dashboard."""
    faults = []
    if dashboard["id"] is not None or not dashboard["uid"]:
        faults.append("a dashboard for others has a uid and no id")
    variables = {variable["name"]: variable["type"] for variable in dashboard["templating"]["list"]}
    if variables.get("datasource") != "datasource":
        faults.append("there is no variable for the data source")
    for panel in panels_of(dashboard):
        sources = [target["datasource"] for target in panel.get("targets", [])]
        if panel["type"] != "row" and any(source["uid"] != "${datasource}" for source in [panel["datasource"], *sources]):
            faults.append(f"panel \"{panel['title']}\" has a data source of its own")
    ids = [panel["id"] for panel in panels_of(dashboard)]
    if len(ids) != len(set(ids)):
        faults.append("two panels have the same id")
    return faults


def main():
    series = {**NOT_IN_SCRAPE, **series_of(Path(sys.argv[1]).read_text(encoding="utf-8"))}
    dashboard = json.loads((DOCS / "grafana/boltgate.json").read_text(encoding="utf-8"))
    of_dashboard = list(dashboard_queries(dashboard))
    of_rules = list(rule_queries((DOCS / "alerts.yml").read_text(encoding="utf-8")))
    faults = {"the dashboard can be imported": importable(dashboard)}
    faults["the dashboard's queries are PromQL"] = list(filter(None, [syntax_error(of_dashboard)]))
    for what, queries in (("dashboard asks", of_dashboard), ("alert rules ask", of_rules)):
        found = [f"{where}: {fault}" for where, query, shown in queries for fault in faults_of(query, shown, series)]
        faults[f"the {what} for what the gateway has ({len(queries)} queries)"] = found
    for claim, found in faults.items():
        for fault in found:
            print(f"# {fault}")
        print(f"{'not ok' if found else 'ok'} - {claim}")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
