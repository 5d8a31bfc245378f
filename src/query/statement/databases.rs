//! Names of databases: those that clients use in paths, and those that are sent over Bolt.

/// The aliases of databases.
#[derive(Debug, Clone, Default)]
pub struct Aliases(Vec<Alias>);

/// An alias of a database.
#[derive(Debug, Clone)]
pub struct Alias {
    /// The name that clients use, in upper or lower case.
    pub name: String,
    /// The name that is sent over Bolt. `None` sends no name, which selects the caller's default database.
    pub target: Option<String>,
}

/// The database that a request addresses.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct Target<'a> {
    /// The name in the request's path.
    pub(in crate::query) named: &'a str,
    /// The name to send over Bolt. `None` leaves the choice to the server.
    pub(in crate::query) sent: Option<&'a str>,
}

/// Neo4j's administrative database. Drivers use it to verify that they can connect.
const SYSTEM: &str = "system";

impl Aliases {
    /// Creates the table of aliases.
    #[must_use]
    pub fn new(aliases: Vec<Alias>) -> Self {
        Self(aliases)
    }

    /// Returns the database that a request calls `named`. One that names none leaves the choice to the server.
    pub(in crate::query) fn resolve<'a>(&'a self, named: &'a str) -> Target<'a> {
        if named.is_empty() {
            return Target { named, sent: None };
        }
        let alias = self.0.iter().find(|alias| alias.name.eq_ignore_ascii_case(named));
        let own = Some(named).filter(|named| !named.is_empty());
        Target { named, sent: alias.map_or(own, |alias| alias.target.as_deref()) }
    }
}

impl Target<'_> {
    /// Whether this is Neo4j's administrative database.
    pub(in crate::query) fn is_system(self) -> bool {
        self.sent.is_some_and(|name| name.eq_ignore_ascii_case(SYSTEM))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_replaced_or_omitted() {
        let alias = |name: &str, target: Option<&str>| Alias { name: name.into(), target: target.map(Into::into) };
        let aliases = Aliases::new(vec![alias("neo4j", Some("memgraph")), alias("home", None)]);
        for (named, sent) in
            [("neo4j", Some("memgraph")), ("NEO4J", Some("memgraph")), ("home", None), ("x", Some("x")), ("", None)]
        {
            assert_eq!(aliases.resolve(named).sent, sent);
            assert_eq!(aliases.resolve(named).named, named);
        }
        assert!(aliases.resolve("System").is_system() && !aliases.resolve("home").is_system());
    }
}
