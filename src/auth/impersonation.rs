//! Impersonation: who may act as whom.

use super::{error::ImpersonationRefused, identity::Identity};

/// The operator's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Impersonation {
    /// No request may name a user.
    Off,
    /// A request may name the user of its own token.
    Own,
    /// A request may name the users that the rules allow, and its own user.
    List(Vec<Rule>),
    /// Callers with a login of their own may name anybody, because the database checks their privileges. Callers on the
    /// service account may name their own user.
    Database,
    /// Anybody may name anybody, including callers on the service account.
    Any,
}

/// One permission. `None` matches anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The caller: a user name, or the user of a verified token (its subject if it has none).
    pub who: Option<String>,
    /// The user to act as.
    pub whom: Option<String>,
}

impl Rule {
    fn allows(&self, who: Option<&str>, whom: &str) -> bool {
        let is_who = self.who.as_deref().is_none_or(|name| Some(name) == who);
        is_who && self.whom.as_deref().is_none_or(|name| name == whom)
    }
}

impl Impersonation {
    /// Returns the user to impersonate if `caller` asks for `wanted`. `None` means the login's own user.
    ///
    /// # Errors
    /// Returns an error if the caller is not allowed to do so.
    pub(super) fn user(&self, caller: &Identity, wanted: Option<&str>) -> Result<Option<String>, ImpersonationRefused> {
        // The token's user must be named only on a shared login. Otherwise the login already is that user.
        let own = caller.user();
        let Some(wanted) = wanted else {
            return Ok(own.filter(|_| caller.is_service_account()).map(Into::into));
        };
        if self.allows(caller, own, wanted) {
            Ok(Some(wanted.into()))
        } else {
            Err(ImpersonationRefused(wanted.into()))
        }
    }

    fn allows(&self, caller: &Identity, own: Option<&str>, wanted: &str) -> bool {
        let is_own = own == Some(wanted);
        match self {
            Self::Off => false,
            Self::Own => is_own,
            Self::List(rules) => is_own || rules.iter().any(|rule| rule.allows(caller.name(), wanted)),
            Self::Database => is_own || !caller.is_service_account(),
            Self::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::identity::{Account, CredentialHasher, Principal},
        *,
    };
    use crate::bolt::AuthToken;

    fn caller(account: Account, user: Option<&str>, name: &str) -> Identity {
        let hasher = CredentialHasher::new().unwrap();
        let principal = Principal { name: Some(name.into()), user: user.map(Into::into), claims: None };
        let login = hasher.login(AuthToken::basic("db", "pw"), account);
        Identity::shared(login, hasher.key(&AuthToken::none()), Some(principal), None)
    }

    fn guest(user: Option<&str>) -> Identity {
        caller(Account::Service { read_only: false }, user, "carol")
    }

    fn rule(who: Option<&str>, whom: Option<&str>) -> Rule {
        Rule { who: who.map(Into::into), whom: whom.map(Into::into) }
    }

    #[test]
    fn a_caller_on_the_service_account_acts_as_its_tokens_user_by_default() {
        for policy in [Impersonation::Off, Impersonation::Own, Impersonation::Database, Impersonation::Any] {
            assert_eq!(policy.user(&guest(Some("alice")), None).unwrap().as_deref(), Some("alice"));
            assert_eq!(policy.user(&guest(None), None).unwrap(), None);
            let own = caller(Account::Caller, Some("alice"), "alice");
            assert_eq!(policy.user(&own, None).unwrap(), None);
        }
    }

    #[test]
    fn each_policy_allows_what_it_says() {
        let (guest, own) = (guest(Some("alice")), caller(Account::Caller, None, "carol"));
        let list = Impersonation::List(vec![rule(Some("carol"), Some("bob")), rule(None, Some("reader"))]);
        for (policy, caller, whom, allowed) in [
            (&Impersonation::Off, &guest, "alice", false),
            (&Impersonation::Off, &own, "bob", false),
            (&Impersonation::Own, &guest, "alice", true),
            (&Impersonation::Own, &guest, "bob", false),
            (&Impersonation::Own, &own, "bob", false),
            (&list, &guest, "bob", true),
            (&list, &guest, "alice", true),
            (&list, &guest, "reader", true),
            (&list, &guest, "root", false),
            (&list, &own, "bob", true),
            (&Impersonation::Database, &guest, "alice", true),
            (&Impersonation::Database, &guest, "bob", false),
            (&Impersonation::Database, &own, "bob", true),
            (&Impersonation::Any, &guest, "bob", true),
        ] {
            let user = policy.user(caller, Some(whom));
            assert_eq!(user.is_ok(), allowed, "{policy:?} {whom}");
            assert!(user.is_err() || user.unwrap().as_deref() == Some(whom));
        }
    }

    #[test]
    fn a_rule_for_a_name_does_not_match_callers_without_a_name() {
        let nameless =
            Identity::own(CredentialHasher::new().unwrap().login(AuthToken::none(), Account::Caller), None, None);
        let list = Impersonation::List(vec![rule(Some("carol"), None)]);
        assert!(list.user(&nameless, Some("bob")).is_err());
    }
}
