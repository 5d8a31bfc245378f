//! Who may do something: rules about callers, and the judgement of a caller by them.
//!
//! Promises that a user counts only as far as it is proven, by a login that the database has to accept or by a verified
//! token, and claims only of a verified token. Whether the database accepts a caller's login has to be found out
//! elsewhere, before a caller is let in on an account other than its own.

use std::sync::Arc;

use serde_json::Value;

use super::{identity::Identity, token::ClaimPath};
use crate::config::WhoRule;

/// Rules, one of which a caller has to meet. Without rules, no caller is allowed. Clones share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoRules {
    rules: Arc<[Rule]>,
    /// Whether one of the rules is met by anybody.
    open: bool,
}

/// A rule that not everybody meets.
#[derive(Debug, PartialEq, Eq)]
enum Rule {
    User(String),
    Claim(ClaimPath, String),
}

impl WhoRules {
    /// The rules that an operator has written.
    #[must_use]
    pub fn new(rules: &[WhoRule]) -> Self {
        let closed = rules.iter().filter_map(|rule| match rule {
            WhoRule::Anybody => None,
            WhoRule::User(name) => Some(Rule::User(name.clone())),
            WhoRule::Claim { path, value } => Some(Rule::Claim(ClaimPath::new(path), value.clone())),
        });
        Self { rules: closed.collect(), open: rules.contains(&WhoRule::Anybody) }
    }

    /// Whether anybody meets them, also without credentials.
    #[must_use]
    pub fn allow_anybody(&self) -> bool {
        self.open
    }

    /// Whether claims of tokens are examined.
    #[must_use]
    pub fn read_claims(&self) -> bool {
        !self.open && self.rules.iter().any(|rule| matches!(rule, Rule::Claim(..)))
    }

    /// Whether `caller` meets one of them, provided that the database accepts its login.
    #[must_use]
    pub fn allow(&self, caller: &Identity) -> bool {
        self.open
            || self.rules.iter().any(|rule| match rule {
                Rule::User(name) => caller.user_name() == Some(name),
                Rule::Claim(path, value) => {
                    let claim = caller.claims().and_then(|claims| path.find(claims));
                    claim.is_some_and(|claim| holds(claim, value))
                }
            })
    }
}

/// Whether a claim is `wanted`, or a list or a text of words that contains it.
fn holds(claim: &Value, wanted: &str) -> bool {
    match claim {
        Value::String(text) => text == wanted || text.split(' ').any(|word| word == wanted),
        Value::Array(items) => items.iter().any(|item| is(item, wanted)),
        claim => is(claim, wanted),
    }
}

fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Bool(is) => wanted == if *is { "true" } else { "false" },
        Value::Number(number) => number.to_string() == wanted,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bolt::AuthToken;

    fn rules(texts: &[&str]) -> WhoRules {
        let rules: Vec<WhoRule> = texts.iter().map(|text| text.parse().unwrap()).collect();
        WhoRules::new(&rules)
    }

    /// A caller with a verified token.
    fn with_token(user: &str, claims: Value) -> Identity {
        Identity::sample(AuthToken::bearer("t"), true).known_as(user, Some(claims))
    }

    fn nobody() -> Identity {
        Identity::sample(AuthToken::none(), false)
    }

    #[test]
    fn anybody_means_also_those_without_credentials() {
        for (texts, expected) in
            [(&["*"][..], true), (&["user:alice", "*"], true), (&["user:alice"], false), (&[], false)]
        {
            let rules = rules(texts);
            assert_eq!((rules.allow(&nobody()), rules.allow_anybody()), (expected, expected), "{texts:?}");
        }
    }

    #[test]
    fn a_user_is_the_whole_name_of_a_known_caller() {
        let rules = rules(&["user:alice", "user:bob"]);
        for (user, expected) in
            [("alice", true), ("bob", true), ("Alice", false), ("alic", false), ("*", false), ("", false)]
        {
            assert_eq!(rules.allow(&with_token(user, json!({}))), expected, "{user}");
        }
        let shared = Identity::sample(AuthToken::basic("alice", "pw"), true);
        assert!(!rules.allow(&shared), "the service account is not its callers");
    }

    #[test]
    fn a_claim_is_the_value_or_contains_it() {
        let claims = json!({
            "role": "reader", "roles": ["writer", "reader", 7], "scope": "openid graph:read", "admin": true, "level": 3,
            "realm": { "roles": ["deep"] }, "https://x/groups": ["g"], "nothing": null, "nested": [["reader"]],
        });
        let caller = with_token("alice", claims);
        for (rule, expected) in [
            ("claim:role=reader", true),
            ("claim:role=read", false),
            ("claim:roles=reader", true),
            ("claim:roles=7", true),
            ("claim:roles=admin", false),
            ("claim:scope=graph:read", true),
            ("claim:scope=openid graph:read", true),
            ("claim:scope=graph", false),
            ("claim:admin=true", true),
            ("claim:admin=false", false),
            ("claim:level=3", true),
            ("claim:/realm/roles=deep", true),
            ("claim:realm=deep", false),
            ("claim:https://x/groups=g", true),
            ("claim:nothing=null", false),
            ("claim:nested=reader", false),
            ("claim:missing=x", false),
        ] {
            assert_eq!(rules(&[rule]).allow(&caller), expected, "{rule}");
            assert!(!rules(&[rule]).allow(&nobody()), "{rule}");
        }
    }

    #[test]
    fn claims_are_kept_only_where_a_rule_reads_them() {
        assert!(rules(&["user:a", "claim:a=b"]).read_claims());
        assert!(!rules(&["user:a"]).read_claims() && !rules(&["*", "claim:a=b"]).read_claims());
    }
}
