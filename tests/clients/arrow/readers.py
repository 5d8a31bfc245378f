"""Arrow streams of a gateway, read by pyarrow and Polars, against the typed JSON answers of the same statements.

    readers.py URL TARGET GATEWAY-PID

TARGET is embedded or neo4j. Writes a line `ok - …` for each check, and fails with the first that does not hold.
"""

import base64
import datetime
import http.client
import io
import json
import re
import sys
import urllib.parse

import polars
import pyarrow
import pyarrow.ipc

URL, TARGET, PID = sys.argv[1], sys.argv[2], sys.argv[3]
ARROW = "application/vnd.apache.arrow.stream"
TYPED = "application/vnd.neo4j.query.v1.2"
MARKER = b"\xff\xff\xff\xff\0\0\0\0"
LABEL = "BoltgateArrowReader"


def ask(accept, statement, **members):
    """The response to a statement, its body not read yet."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc, timeout=300)
    body = json.dumps({"statement": statement, **members})
    connection.request(
        "POST", "/db/neo4j/query/v2", body, {"Content-Type": "application/json", "Accept": accept}
    )
    return connection.getresponse()


def answer(accept, statement, **members):
    response = ask(accept, statement, **members)
    body = response.read()
    assert response.status in (200, 202), (response.status, body[:500], statement)
    return body


# ---- what typed JSON says, in the terms of a column's field ------------------------------------------------


def nanoseconds(time):
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?", time)
    hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 10**9 + int((fraction or "").ljust(9, "0"))


def days(date):
    return datetime.date.fromisoformat(date).toordinal() - datetime.date(1970, 1, 1).toordinal()


def offset(text):
    if text == "Z":
        return 0
    parts = [int(part) for part in text[1:].split(":")]
    size = sum(part * unit for part, unit in zip(parts, (3600, 60, 1)))
    return -size if text[0] == "-" else size


def with_offset(text):
    match = re.fullmatch(r"(.*?)(Z|[+-]\d\d:\d\d(?::\d\d)?)(?:\[(.*)\])?", text)
    return match.group(1), offset(match.group(2)), match.group(3)


def instant(text, field_type):
    date, time = text.split("T")
    count = days(date) * 86400 * 10**9 + nanoseconds(time)
    return count if field_type.unit == "ns" else exact(count, 1000)


def exact(count, unit):
    assert count % unit == 0, count
    return count // unit


def duration(text):
    number = r"(?:(-?\d+)%s)?"
    date = "".join(number % unit for unit in "YMD")
    match = re.fullmatch(f"P{date}(?:T{number % 'H'}{number % 'M'}(?:(-?)(\\d+)(?:\\.(\\d+))?S)?)?", text)
    years, months, day, hours, minutes, sign, seconds, fraction = match.groups()
    small = int(seconds or 0) * 10**9 + int((fraction or "").ljust(9, "0"))
    total = (int(hours or 0) * 3600 + int(minutes or 0) * 60) * 10**9 + (-small if sign else small)
    return {
        "months": int(years or 0) * 12 + int(months or 0),
        "days": int(day or 0),
        "seconds": total // 10**9,
        "nanoseconds": total % 10**9,
    }


def point(text):
    match = re.fullmatch(r"SRID=(\d+);POINT (?:Z )?\((.*)\)", text)
    place = [float(number) for number in match.group(2).split()]
    return {"srid": int(match.group(1)), "x": place[0], "y": place[1], "z": place[2] if len(place) > 2 else None}


def node(typed, plain):
    value = typed["_value"]
    return {
        "elementId": value["_element_id"],
        "labels": value["_labels"],
        "properties": as_json(plain["properties"]),
    }


def relationship(typed, plain):
    value = typed["_value"]
    return {
        "elementId": value["_element_id"],
        "startNodeElementId": value["_start_node_element_id"],
        "endNodeElementId": value["_end_node_element_id"],
        "type": value["_type"],
        "properties": as_json(plain["properties"]),
    }


def as_json(value):
    return {"json": value}


def expected(typed, plain, field):
    """What a column of this field should hold. Where that is JSON, what it means in plain JSON."""
    kind, value = typed["$type"], typed["_value"]
    metadata = field.metadata or {}
    if kind == "Null":
        return None
    if metadata.get(b"boltgate:encoding") == b"json":
        return as_json(plain)
    match kind:
        case "Boolean" | "String" | "UUID":
            return value
        case "Integer":
            return float(value) if pyarrow.types.is_float64(field.type) else int(value)
        case "Float":
            return number(float(value))
        case "Base64":
            return base64.b64decode(value)
        case "Date":
            return days(value)
        case "LocalTime":
            return nanoseconds(value)
        case "Time":
            time, seconds, _ = with_offset(value)
            return {"time": nanoseconds(time), "offset": seconds}
        case "LocalDateTime":
            return instant(value, field.type)
        case "OffsetDateTime" | "ZonedDateTime":
            local, seconds, zone = with_offset(value)
            counted = field.type.field("instant").type if pyarrow.types.is_struct(field.type) else field.type
            unit = 10**9 if counted.unit == "ns" else 10**6
            moment = instant(local, counted) - seconds * unit
            if pyarrow.types.is_struct(field.type):
                return {"instant": moment, "offset": seconds, "zone": zone}
            return moment
        case "Duration":
            return duration(value)
        case "Point":
            return point(value)
        case "Vector":
            convert = int if value["coordinatesType"].startswith("INT") else float
            return [convert(coordinate) for coordinate in value["coordinates"]]
        case "Node":
            return node(typed, plain)
        case "Relationship":
            return relationship(typed, plain)
        case "Path":
            return {
                "nodes": [node(*part) for part in zip(value[::2], plain[::2])],
                "relationships": [relationship(*part) for part in zip(value[1::2], plain[1::2])],
            }
        case "List":
            item = field.type.value_field
            return [expected(*part, item) for part in zip(value, plain)]
    raise AssertionError(f"{kind} in {field}")


# ---- what a reader has, in the same terms -----------------------------------------------------------------


def number(value):
    return "NaN" if value != value else value


def found(scalar, field):
    """The value of a pyarrow scalar. `field` is that of the stream, since Polars forgets metadata."""
    if scalar is None or not scalar.is_valid:
        return None
    if (field.metadata or {}).get(b"boltgate:encoding") == b"json":
        return as_json(json.loads(scalar.as_py()))
    kind = field.type
    if pyarrow.types.is_struct(kind):
        return {part.name: found(scalar[part.name], part) for part in kind}
    if pyarrow.types.is_list(kind) or pyarrow.types.is_fixed_size_list(kind):
        return [found(item, kind.value_field) for item in scalar.values]
    if pyarrow.types.is_temporal(kind):
        return scalar.value
    return number(scalar.as_py())


def rows(table, schema):
    columns = [[found(scalar, field) for scalar in column] for column, field in zip(table.columns, schema)]
    return [list(row) for row in zip(*columns)]


def by_pyarrow(body):
    return pyarrow.ipc.open_stream(io.BytesIO(body)).read_all()


def by_polars(body):
    frame = polars.read_ipc_stream(io.BytesIO(body))
    return frame.to_arrow(compat_level=polars.CompatLevel.oldest()) if frame.width else pyarrow.table({})


def distinct(names):
    taken, numbers, result = set(names), {}, []
    for name in names:
        numbered = name
        if name in numbers:
            while numbered in taken:
                numbers[name] += 1
                numbered = f"{name}_{numbers[name]}"
            taken.add(numbered)
        else:
            numbers[name] = 1
        result.append(numbered)
    return result


def same(name, statement, types=None, **members):
    body = answer(ARROW, statement, **members)
    assert body.endswith(MARKER), name
    table = by_pyarrow(body)
    schema = table.schema
    for field in schema:
        assert field.nullable and b"boltgate:type" in field.metadata, field
    if types is not None:
        said = [field.metadata[b"boltgate:type"].decode() for field in schema]
        assert said == types, (name, said, types)
    typed = json.loads(answer(TYPED, statement))["data"]
    plain = json.loads(answer("application/json", statement))["data"]
    assert schema.names == distinct(plain["fields"]), (schema.names, plain["fields"])
    want = [
        [expected(one, other, field) for one, other, field in zip(*row, schema)]
        for row in zip(typed["values"], plain["values"])
    ]
    for reader, read in (("pyarrow", by_pyarrow), ("Polars", by_polars)):
        got = rows(read(body), schema)
        assert got == want, f"{name} by {reader}:\n{got}\n{want}\n{schema}"
    print(f"ok - {TARGET}: {name}: pyarrow and Polars read what typed JSON says")


def fails(name, statement, **members):
    """Each reader that reads the transfer itself fails with it."""
    for reader, read in (
        ("pyarrow", lambda response: pyarrow.ipc.open_stream(response).read_all()),
        ("Polars", lambda response: polars.read_ipc_stream(response)),
        ("http.client", lambda response: response.read()),
    ):
        response = ask(ARROW, statement, **members)
        assert response.status == 200, (name, response.status)
        try:
            read(response)
        # Readers have errors of their own, and Polars panics with what is no Exception.
        except BaseException as error:
            print(f"ok - {TARGET}: {name}: {reader} fails: {type(error).__name__}")
        else:
            raise AssertionError(f"{name}: {reader} took a part for the whole")


def memory():
    with open(f"/proc/{PID}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def flat(wanted):
    """Reads many rows batch by batch, while the gateway's memory stays as it was near the beginning."""
    statement = f"UNWIND range(1, {wanted}) AS n RETURN n, toString(n) AS text, n * 0.5 AS half"
    stream = pyarrow.ipc.open_stream(ask(ARROW, statement))
    count, early, most = 0, None, 0
    for batch in stream:
        count += batch.num_rows
        if count >= wanted // 10:
            early = early or memory()
            most = max(most, memory())
    assert count == wanted, count
    assert most - early < 24 * 1024, f"{early} kB grew to {most} kB"
    print(f"ok - {TARGET}: {wanted} rows: the gateway has {early} kB after a tenth of them, and at most {most} kB later")


# ---- the statements ------------------------------------------------------------------------------------------

same("scalars", "UNWIND [1, null, -5] AS n RETURN n, n * 1.5 AS f, n > 0 AS b, toString(n) AS s, 'ä\"' AS quoted",
     ["Integer", "Float", "Boolean", "String", "String"])
same("integers and floats", "UNWIND [1, 2.5, null] AS x RETURN x", ["Float"])
same("integers beyond floats", "UNWIND [9223372036854775807, 2.5] AS x RETURN x", ["Mixed"])
same("mixed values", "UNWIND [1, 'a', true, null, [1, 'b'], {k: 1}] AS x RETURN x", ["Mixed"])
same("maps", "RETURN {a: 1, b: [1.5, null], c: {d: 'x'}} AS m", ["Map"])
same("lists", "UNWIND [[1, 2], [], null, [3, null]] AS l RETURN l, [['a'], [], ['b', null]] AS nested, [] AS empty, "
     "[null] AS nulls, [1, 'x'] AS mixed", ["List"] * 5)
same("lists of maps", "RETURN [{a: 1}, {b: 2}] AS l", ["List"])
same("nothing but nulls", "UNWIND [null, null] AS n RETURN n, null AS m", ["Null", "Null"])
same("nothing but nulls in the sample", "UNWIND range(1, 1500) AS i RETURN CASE WHEN i > 1200 THEN i END AS n", ["Mixed"])
same("no rows", "UNWIND [] AS n RETURN n, 1 AS one", ["Null", "Null"])
same("several batches", "UNWIND range(1, 20000) AS n RETURN n, toString(n) AS s", ["Integer", "String"])
same("many columns", "UNWIND range(1, 20) AS i RETURN " + ", ".join(f"i + {n} AS c{n}" for n in range(300)))
same("wide values", "UNWIND range(1, 40) AS i RETURN reduce(t = '', x IN range(1, 3000) | t + 'abcdefghij') AS t, range(1, 2000) AS l"
     if TARGET == "neo4j" else "UNWIND range(1, 40) AS i RETURN range(1, 5000) AS l, 'x' AS t")
same("dates and times", "RETURN date('2024-02-29') AS d, date('9999-12-31') AS far, localtime('12:34:56.789') AS lt, "
     "localdatetime('2024-05-06T07:08:09.123456') AS ldt, time('10:00:00+02:00') AS t, "
     "datetime('2024-05-06T07:08:09.5+05:30') AS odt, duration('P1Y2M3DT4H5M6S') AS u",
     ["Date", "Date", "LocalTime", "LocalDateTime", "Time", "OffsetDateTime", "Duration"])
same("declared types", "UNWIND [1, null] AS n RETURN n, [n] AS l, n AS j, date('2024-01-01') AS d",
     arrow={"columns": {"n": "float64", "l": "list<float64>", "j": "json", "d": "date"}})
empty = by_pyarrow(answer(ARROW, f"CREATE (n:{LABEL} {{name: 'a', score: 1.5}}) SET n.x = 1"))
assert (empty.num_columns, empty.num_rows) == (0, 0)
assert polars.read_ipc_stream(io.BytesIO(answer(ARROW, f"MATCH (n:{LABEL}) SET n.x = 2"))).width == 0
print(f"ok - {TARGET}: a statement without columns is a schema without fields")
try:
    answer("application/json", f"MATCH (a:{LABEL}) CREATE (a)-[:KNOWS {{since: 1}}]->(:{LABEL} {{name: 'b'}})")
    same("nodes and relationships", f"MATCH (a:{LABEL})-[r]->(b) RETURN a, r, b, [a, b] AS both, null AS nothing",
         ["Node", "Relationship", "Node", "List", "Null"])
    same("paths", f"MATCH p = (a:{LABEL})-[*0..1]-(b:{LABEL}) RETURN p, nodes(p) AS n ORDER BY length(p), a.name",
         ["Path", "List"])
finally:
    answer("application/json", f"MATCH (n:{LABEL}) DETACH DELETE n")
late = "UNWIND range(1, 40000) AS n RETURN CASE n WHEN 39999 THEN 'x' ELSE n END AS n"
fails("a value that does not fit", late)
same("the same with its type declared", late, arrow={"columns": {"n": "json"}})

if TARGET == "neo4j":
    same("points", "RETURN point({x: 1.5, y: 2}) AS p, point({longitude: 1, latitude: 2, height: 3}) AS q", ["Point", "Point"])
    same("nanoseconds", "UNWIND [localdatetime('2024-05-06T07:08:09.123456789'), localdatetime('1970-01-01T00:00')] AS t "
         "RETURN t", ["LocalDateTime"])
    same("no unit holds all", "UNWIND [localdatetime('2024-05-06T07:08:09.123456789'), localdatetime('9999-12-31T00:00')] "
         "AS t RETURN t", ["LocalDateTime"])
    zoned = ("UNWIND [datetime('2024-05-06T07:08:09.5[Europe/Berlin]'), datetime('2024-05-06T07:08:09.5+01:00:30')] AS t "
             "RETURN t")
    same("zones", zoned, ["ZonedDateTime"])
    same("zones that are kept", zoned, ["ZonedDateTime"], arrow={"columns": {"t": "zoned"}})
    same("durations of any sign", "UNWIND [duration({months: 14, days: -3, seconds: -6, nanoseconds: 7}), "
         "duration({seconds: -1, nanoseconds: -1}), duration({hours: 100000})] AS u RETURN u", ["Duration"])
    vector = "CYPHER 25 UNWIND [vector([1.5, 2, 3], 3, FLOAT32), null, vector([4, 5, 6], 3, FLOAT32)] AS v RETURN v"
    same("vectors", vector, ["Vector"])
    for kind in ("INTEGER8", "INTEGER16", "INTEGER32", "INTEGER64", "FLOAT64"):
        same(f"vectors of {kind}", f"CYPHER 25 RETURN vector([1, -2], 2, {kind}) AS v", ["Vector"])
    same("vectors of several lengths", "CYPHER 25 UNWIND [vector([1], 1, FLOAT64), vector([1, 2], 2, FLOAT64)] AS v RETURN v",
         ["Vector"])
    same("vectors of several types", "CYPHER 25 UNWIND [vector([1], 1, FLOAT64), vector([1], 1, INT8)] AS v RETURN v",
         ["Vector"])
    same("floats that are no numbers", "UNWIND [0.0 / 0, 1.0 / 0, -1.0 / 0, null] AS x RETURN x", ["Float"])
    # The embedded database has failed before its first row leaves.
    fails("a failure of the statement", "UNWIND range(1, 60000) AS n RETURN 1 / (60000 - n) AS x")
    flat(2_000_000)
