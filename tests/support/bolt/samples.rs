//! One value of every kind a database can return, as each protocol version encodes it.
//!
//! Owns: the columns of the directive `TYPE`.
//! May not know: how they are asked for.

use super::value::{Value, list, map, strings, structure, v};

/// How values look on this connection.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    /// Element ids in nodes and relationships (5.0+).
    pub element_ids: bool,
    /// `I`/`i` with UTC seconds instead of `F`/`f` with local seconds.
    pub utc: bool,
    pub vectors: bool,
    pub uuids: bool,
    pub memgraph: bool,
    /// SRID of a three-dimensional Cartesian point.
    pub cartesian_3d: i64,
}

impl Shapes {
    fn id(&self, kind: u8, id: i64) -> Value {
        if self.memgraph {
            return v(id.to_string());
        }
        v(format!("{kind}:8f3e1f4c-2b7a-4c8e-9d7b-0a1b2c3d4e5f:{id}"))
    }

    pub fn node(&self, id: i64, labels: &[&str], properties: Value) -> Value {
        let mut fields = vec![v(id), strings(labels), properties];
        if self.element_ids {
            fields.push(self.id(4, id));
        }
        Value::Struct { tag: b'N', fields }
    }

    pub fn relationship(&self, id: i64, start: i64, end: i64, kind: &str, p: Value) -> Value {
        let mut fields = vec![v(id), v(start), v(end), v(kind), p];
        if self.element_ids {
            fields.extend([self.id(5, id), self.id(4, start), self.id(4, end)]);
        }
        Value::Struct { tag: b'R', fields }
    }

    fn unbound(&self, id: i64, kind: &str, properties: Value) -> Value {
        let mut fields = vec![v(id), v(kind), properties];
        if self.element_ids {
            fields.push(self.id(5, id));
        }
        Value::Struct { tag: b'r', fields }
    }

    /// `(a)-[KNOWS]->(b)<-[LIKES]-(c)`
    fn path(&self) -> Value {
        let node = |id, name: &str| self.node(id, &["Person"], map([("name", v(name))]));
        structure(
            b'P',
            [
                list([node(0, "a"), node(1, "b"), node(2, "c")]),
                list([self.unbound(7, "KNOWS", map([("since", v(1999))])), self.unbound(8, "LIKES", map([]))]),
                list([v(1), v(1), v(-2), v(2)]),
            ],
        )
    }

    /// 2015-06-24T12:50:00+01:30 with an offset in seconds.
    fn date_time(&self) -> Value {
        let (utc, offset) = (1_435_144_800_i64, 5_400_i64);
        match self.utc {
            true => structure(b'I', [v(utc), v(142_000_000), v(offset)]),
            false => structure(b'F', [v(utc + offset), v(142_000_000), v(offset)]),
        }
    }

    /// 2015-11-21T21:40:32.142Z[Antarctica/Troll], where the offset is zero.
    fn date_time_zone(&self) -> Value {
        let tag = if self.utc { b'i' } else { b'f' };
        structure(tag, [v(1_448_142_032_i64), v(142_000_000), v("Antarctica/Troll")])
    }

    /// Every column: name and value.
    pub fn all(&self) -> Vec<(&'static str, Value)> {
        let mut all = vec![
            ("null", Value::Null),
            ("true", v(true)),
            ("false", v(false)),
            ("integer", v(42)),
            ("smallest", v(i64::MIN)),
            ("largest", v(i64::MAX)),
            ("float", v(1.5)),
            ("infinity", v(f64::NEG_INFINITY)),
            ("nan", v(f64::NAN)),
            ("string", v("Grüße, \u{1F600} \"quoted\" \\ \u{0001}")),
            ("list", list([v(1), v("two"), Value::Null, list([])])),
            ("map", map([("a", v(1)), ("b", map([("c", v(true))]))])),
            ("node", self.node(9, &["Person", "Admin"], map([("name", v("Ann"))]))),
            ("relationship", self.relationship(7, 9, 10, "KNOWS", map([("since", v(1999))]))),
            ("path", self.path()),
            ("date", structure(b'D', [v(16_520)])),
            ("localtime", structure(b't', [v(45_296_000_001_000_i64)])),
            ("localdatetime", structure(b'd', [v(1_435_150_200), v(142_000_000)])),
            ("datetime", self.date_time()),
            ("datetimezone", self.date_time_zone()),
            ("point2d", structure(b'X', [v(7203), v(0.1), v(1.0e300)])),
            ("point3d", structure(b'Y', [v(self.cartesian_3d), v(1.0), v(2.0), v(3.0)])),
            ("wgs2d", structure(b'X', [v(4326), v(10.7), v(59.9)])),
            ("wgs3d", structure(b'Y', [v(4979), v(10.7), v(59.9), v(3.0)])),
        ];
        all.extend(if self.memgraph { self.only_memgraph() } else { self.only_neo4j() });
        all
    }

    fn only_memgraph(&self) -> Vec<(&'static str, Value)> {
        let name = ["__type", "__value"];
        vec![
            ("duration", structure(b'E', [v(0), v(25), v(18_367), v(890_000_000)])),
            // 1969-12-31T23:59:59.5 and -1.5 s: nanoseconds below zero.
            ("before1970", structure(b'd', [v(0), v(-500_000_000)])),
            ("negativeduration", structure(b'E', [v(0), v(0), v(-1), v(-500_000_000)])),
            ("enum", map([(name[0], v("mg_enum")), (name[1], v("Status::Good"))])),
            (
                "graph",
                map([
                    ("edges", list([self.relationship(7, 0, 1, "KNOWS", map([]))])),
                    ("nodes", list([self.node(0, &["A"], map([])), self.node(1, &[], map([]))])),
                ]),
            ),
        ]
    }

    fn only_neo4j(&self) -> Vec<(&'static str, Value)> {
        let unknown = |what: &str| map([("originalType", v(what)), ("reason", v("UNKNOWN_TYPE"))]);
        let uuid: [u8; 16] = std::array::from_fn(|i| i as u8 * 17);
        vec![
            ("bytes", v(vec![0_u8, 1, 0xFF])),
            ("time", structure(b'T', [v(45_000_500_000_000_i64), v(-19_800)])),
            ("duration", structure(b'E', [v(14), v(25), v(18_367), v(890_000_000)])),
            (
                "vector",
                match self.vectors {
                    true => structure(b'V', [v(vec![0xC8_u8]), v(vec![1_u8, 0xFE, 3])]),
                    false => unknown("VECTOR(3, INTEGER8)"),
                },
            ),
            (
                "uuid",
                match (self.uuids, self.vectors) {
                    (true, _) => Value::Uuid(uuid),
                    (false, true) => structure(b'?', [v("UUID"), v(6), v(1), map([])]),
                    (false, false) => unknown("UUID"),
                },
            ),
        ]
    }

    /// The columns of `TYPE name`; `None` if there is no such value.
    pub fn named(&self, name: &str) -> Option<(Vec<String>, Vec<Value>)> {
        let chosen = |column: &(&str, Value)| name == "all" || column.0 == name;
        let columns: Vec<_> = self.all().into_iter().filter(chosen).collect();
        if columns.is_empty() {
            return None;
        }
        Some(columns.into_iter().map(|(name, value)| (name.to_owned(), value)).unzip())
    }
}
