"""Statements whose answers are compared, and what a database lacks for them."""

NEO4J, EMBEDDED = "neo4j", "embedded"

LABEL = "ReadersTest"
CREATE = (
    f"CREATE (a:{LABEL}:Person {{name: 'Ä \"b\", c', born: date('1815-12-10'), list: [1, 2]}})"
    f"-[:KNOWS {{since: 1.5}}]->(:{LABEL} {{name: ''}})-[:KNOWS]->(a)"
)
DELETE = f"MATCH (n:{LABEL}) DETACH DELETE n"

# Name, expression, and the databases that have it.
BOTH = (NEO4J, EMBEDDED)
VALUES = [
    ("null", "null", BOTH),
    ("true", "true", BOTH),
    ("integers", "[0, -1, 9007199254740993, 9223372036854775807, -9223372036854775807 - 1]", BOTH),
    ("integer", "9223372036854775807", BOTH),
    ("floats", "[0.1, -0.0, 1.5e300, 4.9e-324, 100000.0, 12345678.9]", BOTH),
    ("float", "2.0", BOTH),
    ("nan", "0.0 / 0.0", BOTH),
    ("infinity", "-1.0 / 0.0", BOTH),
    ("empty", "''", BOTH),
    ("comma", "'a,b'", BOTH),
    ("quotes", "'say \"hi\"'", BOTH),
    ("quote", "'\"'", BOTH),
    ("lines", "'two\\nlines\\r\\nthree\\r'", BOTH),
    ("spaces", "' x '", BOTH),
    ("tab", "'\\t'", BOTH),
    ("backslash", "'\\\\n'", BOTH),
    ("letters", "'Ünï \u2028 \U0001F600 日本'", BOTH),
    ("formula", "'=1+1'", BOTH),
    ("like a number", "'0123'", BOTH),
    ("like null", "'null'", BOTH),
    ("bytes", "$bytes", (NEO4J,)),
    ("date", "date('2026-02-28')", BOTH),
    ("early date", "date('-0043-03-15')", (NEO4J,)),
    ("local time", "localtime('12:50:35.123456789')", BOTH),
    ("time", "time('12:50:35.5+01:00')", BOTH),
    ("local datetime", "localdatetime('2026-02-28T12:50:35')", BOTH),
    ("datetime", "datetime('2026-02-28T12:50:35.000000001+05:30')", BOTH),
    ("zoned", "datetime('2026-07-28T12:50:35[Europe/Berlin]')", BOTH),
    ("duration", "duration('P1Y2M3DT4H5M6.5S')", BOTH),
    ("point", "point({x: 1.5, y: -2})", (NEO4J,)),
    ("place", "point({longitude: 13.4, latitude: 52.5, height: 34})", (NEO4J,)),
    ("vector", "$vector", (NEO4J,)),
    ("vector of floats", "$floats", (NEO4J,)),
    ("uuid", "$uuid", (NEO4J,)),
    ("list", "[1, 'a,\"b\"', null, [2.5, []], {k: [true]}]", BOTH),
    ("map", "{a: 1, `b \"c\"`: null, d: {e: [date('2026-02-28')]}}", BOTH),
    ("node", "n", BOTH),
    ("relationship", "r", BOTH),
    ("path", "p", BOTH),
    ("deep", "{list: [n, {r: r}], path: [p]}", BOTH),
]


def every_type(target):
    """All values of a database as columns."""
    columns = ", ".join(f"{expression} AS `{name}`" for name, expression, has in VALUES if target in has)
    return f"MATCH p = (n:{LABEL})-[r {{since: 1.5}}]->(m) RETURN {columns}"


def statements(target):
    """Name and statement of each comparison."""
    wide = ", ".join(f"{number} AS c{number}" for number in range(1, 301))
    relationships = f"MATCH (n:{LABEL})-[r]->() RETURN"
    return [
        ("every type", every_type(target)),
        ("an empty result", f"MATCH (n:{LABEL}) WHERE n.nothing = 1 RETURN n, n.name AS `a, b`"),
        ("a statement without columns", f"MATCH (n:{LABEL}) SET n.touched = true"),
        ("a column of mixed types", "UNWIND [1, 'a', null, 2.5, [1], {k: 1}, true, date('2026-02-28')] AS x RETURN x"),
        ("one column of nulls", "UNWIND [null, '', null] AS x RETURN x"),
        ("300 columns", f"UNWIND range(1, 50) AS row RETURN row, {wide}"),
        ("columns of odd names", "RETURN 1 AS ` `, 2 AS `a,b`, 3 AS `say \"hi\"`, 4 AS `=x`, 5 AS `a\nb`"),
        ("a graph's rows", f"{relationships} r, n ORDER BY n.name"),
        ("relationships alone", f"{relationships} r"),
        ("many rows", "UNWIND range(1, 5000) AS i RETURN i, 'row ' + toString(i) AS text, i / 2.0 AS half"),
    ]
