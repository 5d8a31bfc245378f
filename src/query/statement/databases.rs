//! What databases are called: by clients in the path, and over Bolt.

/// Other names for databases.
#[derive(Debug, Clone, Default)]
pub struct Aliases(Vec<Alias>);

/// One of them.
#[derive(Debug, Clone)]
pub struct Alias {
    /// What clients call it, in any case.
    pub name: String,
    /// What the database calls it; `None` for the caller's default database, of which no name is sent.
    pub target: Option<String>,
}

/// A database as a request names it.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct Target<'a> {
    /// In its path.
    pub(in crate::query) named: &'a str,
    /// Over Bolt; `None` leaves the choice to the database.
    pub(in crate::query) sent: Option<&'a str>,
}

/// The database that Neo4j has beside all others. Clients prove their connections on it.
const SYSTEM: &str = "system";

impl Aliases {
    /// These.
    #[must_use]
    pub fn new(aliases: Vec<Alias>) -> Self {
        Self(aliases)
    }

    /// The database that a request calls `named`.
    pub(in crate::query) fn resolve<'a>(&'a self, named: &'a str) -> Target<'a> {
        let alias = self.0.iter().find(|alias| alias.name.eq_ignore_ascii_case(named));
        Target { named, sent: alias.map_or(Some(named), |alias| alias.target.as_deref()) }
    }
}

impl Target<'_> {
    pub(in crate::query) fn is_system(self) -> bool {
        self.sent.is_some_and(|name| name.eq_ignore_ascii_case(SYSTEM))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_or_left_out() {
        let alias = |name: &str, target: Option<&str>| Alias { name: name.into(), target: target.map(Into::into) };
        let aliases = Aliases::new(vec![alias("neo4j", Some("memgraph")), alias("home", None)]);
        for (named, sent) in
            [("neo4j", Some("memgraph")), ("NEO4J", Some("memgraph")), ("home", None), ("x", Some("x"))]
        {
            assert_eq!(aliases.resolve(named).sent, sent);
            assert_eq!(aliases.resolve(named).named, named);
        }
        assert!(aliases.resolve("System").is_system() && !aliases.resolve("home").is_system());
    }
}
