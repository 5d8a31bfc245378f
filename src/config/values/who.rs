//! Owns the rules for who may use something.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// Who may use something: `*`, `user:alice`, `claim:roles=reader`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoRule {
    /// Anybody, also without credentials.
    Anybody,
    /// The user of a login that the database accepts, or the user that a verified token stands for.
    User(String),
    /// A caller that has a verified token with this claim.
    Claim {
        /// The name of the claim, or a JSON pointer to it.
        path: String,
        /// What the claim is, or what its list or its words contain.
        value: String,
    },
}

impl FromStr for WhoRule {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = match text.split_once(':') {
            None if text == "*" => Some(Self::Anybody),
            Some(("user", name)) if !name.is_empty() => Some(Self::User(name.to_owned())),
            // The first `=`: values contain it more often than names do.
            Some(("claim", claim)) => claim
                .split_once('=')
                .filter(|(path, value)| !path.is_empty() && !value.is_empty())
                .map(|(path, value)| Self::Claim { path: path.to_owned(), value: value.to_owned() }),
            _ => None,
        };
        rule.ok_or_else(|| {
            ParseValueError(format!(
                "`{text}` does not say who; write \"*\" for anybody, \"user:NAME\" such as \"user:alice\", or \
                 \"claim:PATH=VALUE\" such as \"claim:roles=reader\""
            ))
        })
    }
}

impl fmt::Display for WhoRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("*"),
            Self::User(name) => write!(f, "user:{name}"),
            Self::Claim { path, value } => write!(f, "claim:{path}={value}"),
        }
    }
}

serde_as_text!(WhoRule);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_printed() {
        let claim = |path: &str, value: &str| WhoRule::Claim { path: path.into(), value: value.into() };
        for (text, rule) in [
            ("*", WhoRule::Anybody),
            ("user:alice", WhoRule::User("alice".into())),
            ("user:*", WhoRule::User("*".into())),
            ("user:a:b", WhoRule::User("a:b".into())),
            ("claim:roles=reader", claim("roles", "reader")),
            ("claim:/realm_access/roles=a=b", claim("/realm_access/roles", "a=b")),
            ("claim:https://example.com/scope=graph read", claim("https://example.com/scope", "graph read")),
        ] {
            assert_eq!(text.parse(), Ok(rule.clone()));
            assert_eq!(rule.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in
            ["", "**", " *", "alice", "user:", "User:alice", "role:reader", "claim:", "claim:a", "claim:=a", "claim:a="]
        {
            let told = text.parse::<WhoRule>().expect_err(text).to_string();
            assert!(told.contains("does not say who; write \"*\" for anybody"), "{told}");
        }
    }
}
