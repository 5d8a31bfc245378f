//! Owns other names for databases: `neo4j -> memgraph`. May not know which databases exist.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// Another name for a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseAlias {
    /// The name in the path, in any ASCII case.
    pub name: String,
    /// The name that the database is sent; `None` for the user's default database.
    pub target: Option<String>,
}

impl DatabaseAlias {
    /// Returns two aliases of the same name, if there are any.
    pub(in crate::config) fn duplicate(aliases: &[Self]) -> Option<(&Self, &Self)> {
        aliases.iter().enumerate().find_map(|(index, alias)| {
            let earlier = aliases.iter().take(index).find(|other| other.name.eq_ignore_ascii_case(&alias.name))?;
            Some((earlier, alias))
        })
    }
}

impl FromStr for DatabaseAlias {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("->").map(|(name, target)| (name.trim(), target.trim())) {
            Some((name, target)) if !name.is_empty() && !target.contains("->") => {
                Ok(Self { name: name.to_owned(), target: (!target.is_empty()).then(|| target.to_owned()) })
            }
            _ => Err(ParseValueError(format!(
                "`{text}` is not an alias; write \"name -> database\", such as \"neo4j -> memgraph\", \
                 or \"neo4j ->\" for the user's default database"
            ))),
        }
    }
}

impl fmt::Display for DatabaseAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(f, "{} -> {target}", self.name),
            None => write!(f, "{} ->", self.name),
        }
    }
}

serde_as_text!(DatabaseAlias);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_read_and_printed() {
        for (text, name, target, printed) in [
            ("neo4j -> memgraph", "neo4j", Some("memgraph"), "neo4j -> memgraph"),
            ("  Neo4j->my-db ", "Neo4j", Some("my-db"), "Neo4j -> my-db"),
            ("neo4j ->", "neo4j", None, "neo4j ->"),
            ("neo4j->", "neo4j", None, "neo4j ->"),
        ] {
            let alias: DatabaseAlias = text.parse().expect(text);
            assert_eq!((alias.name.as_str(), alias.target.as_deref()), (name, target), "{text}");
            assert_eq!(alias.to_string(), printed);
        }
    }

    #[test]
    fn texts_that_are_not_aliases_are_refused() {
        for text in ["", "neo4j", "-> memgraph", "->", "a -> b -> c", "neo4j > memgraph", "neo4j = memgraph"] {
            let refusal = text.parse::<DatabaseAlias>().expect_err(text).to_string();
            assert!(refusal.contains(&format!("`{text}` is not an alias; write \"name -> database\"")), "{refusal}");
        }
    }
}
