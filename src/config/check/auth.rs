//! Owns the rules between the settings of `[auth]`.
//!
//! Promises that a policy in force is one that somebody can have meant: nobody is let in unseen, and nothing that was
//! set is without effect. May not know the other sections.

use crate::config::{
    effective::Effective,
    error::ConfigError,
    settings::{Algorithm, Auth, Impersonation, Inbound, Issuer},
};

/// Shorter keys are guessed (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// Refuses settings of `[auth]` that contradict each other.
pub(super) fn check_auth(effective: &Effective) -> Result<(), ConfigError> {
    let auth = &effective.settings.auth;
    for (holds, key, advice) in rules(auth) {
        if !holds {
            return Err(ConfigError::Conflict(format!("{} {advice}", effective.describe(key))));
        }
    }
    for (name, issuer) in &auth.issuers {
        let key = |member: &str| format!("auth.issuers.{name}.{member}");
        for (holds, member, advice) in issuer_rules(issuer) {
            if !holds {
                return Err(ConfigError::Conflict(format!("{} {advice}", effective.describe(&key(member)))));
            }
        }
        let twin = auth.issuers.iter().find(|(other, twin)| *other != name && twin.issuer == issuer.issuer);
        if let Some((twin, _)) = twin {
            return Err(ConfigError::Conflict(format!(
                "{} is also that of auth.issuers.{twin}: a token could not be told whose it is; keep one of them",
                effective.describe(&key("issuer"))
            )));
        }
    }
    Ok(())
}

type Rule = (bool, &'static str, &'static str);

fn rules(auth: &Auth) -> [Rule; 8] {
    let open = auth.anonymous == Inbound::Service;
    let used = [auth.anonymous, auth.basic, auth.bearer].contains(&Inbound::Service);
    let account = &auth.service_account;
    let listed = auth.impersonation == Impersonation::List;
    [
        (
            auth.basic != Inbound::Service || open,
            "auth.basic",
            "lets everybody in, since nobody checks the password; set auth.anonymous = \"service\" as well if that is meant",
        ),
        (
            auth.bearer != Inbound::Service || open || !auth.issuers.is_empty(),
            "auth.bearer",
            "lets everybody in, since nobody checks the token; name its issuer in [auth.issuers.NAME]",
        ),
        (
            auth.bearer != Inbound::Refuse || auth.issuers.is_empty(),
            "auth.bearer",
            "refuses all tokens, so that the issuers in [auth.issuers.NAME] are without effect; remove one or the other",
        ),
        (
            account.user.is_empty() || used,
            "auth.service_account.user",
            "is without effect; set one of auth.anonymous, auth.basic and auth.bearer to \"service\"",
        ),
        (
            account.password.is_empty() || !account.user.is_empty(),
            "auth.service_account.password",
            "is without effect as long as auth.service_account.user is empty",
        ),
        (!account.read_only || used, "auth.service_account.read_only", "is without effect: nothing uses the account"),
        (
            !listed || !auth.impersonation_list.is_empty(),
            "auth.impersonation",
            "needs rules; write some in auth.impersonation_list, or \"off\" here",
        ),
        (
            listed || auth.impersonation_list.is_empty(),
            "auth.impersonation_list",
            "is without effect unless auth.impersonation is \"list\"",
        ),
    ]
}

fn issuer_rules(issuer: &Issuer) -> [Rule; 12] {
    let Issuer { jwks_url, key_file, secret, ca_file, user_claim, .. } = issuer;
    let sources = [!jwks_url.is_empty(), key_file.is_some(), !secret.is_empty()];
    let by_secret = !secret.is_empty();
    let from_network = key_file.is_none() && !by_secret;
    let discovered = from_network && jwks_url.is_empty();
    let is_allowed = |url: &str| url.starts_with("https://") || (issuer.allow_http && url.starts_with("http://"));
    [
        (!issuer.issuer.is_empty(), "issuer", "has to be set: exactly what the tokens say in `iss`"),
        (
            sources.iter().filter(|&&source| source).count() <= 1,
            "issuer",
            "has more than one source of keys; keep one of jwks_url, key_file and secret",
        ),
        (
            !discovered || is_allowed(&issuer.issuer),
            "issuer",
            "is no address that begins with https://, where OIDC discovery could find the keys; name them in jwks_url, \
             key_file or secret (or set allow_http)",
        ),
        (
            jwks_url.is_empty() || is_allowed(jwks_url),
            "jwks_url",
            "does not begin with https:// (set allow_http if that is meant)",
        ),
        (
            !issuer.audience.is_empty(),
            "audience",
            "has to be set: what the tokens say in `aud` when they are for this database; [\"*\"] for any",
        ),
        (
            !issuer.audience.iter().any(String::is_empty),
            "audience",
            "holds an empty text, which stands for nobody; remove it, or write \"*\" for any",
        ),
        (
            !by_secret || secret.expose().len() >= SHORTEST_SECRET,
            "secret",
            "is shorter than 32 bytes, and could be guessed",
        ),
        (
            !by_secret || issuer.algorithms.iter().all(|algorithm| algorithm.is_symmetric()),
            "algorithms",
            "holds what a secret is no key for; only HS256, HS384 and HS512 go with it",
        ),
        (
            by_secret || !issuer.algorithms.iter().copied().any(Algorithm::is_symmetric),
            "algorithms",
            "holds HS256, HS384 or HS512, which need `secret`: everybody knows the other keys",
        ),
        (ca_file.is_none() || from_network, "ca_file", "is without effect: the keys do not come from the network"),
        (!issuer.allow_http || from_network, "allow_http", "is without effect: the keys do not come from the network"),
        (
            !user_claim.starts_with('/') || is_pointer(user_claim),
            "user_claim",
            "is no JSON pointer; write the claim's name, or a path such as \"/realm/user\"",
        ),
    ]
}

/// RFC 6901: `~` stands only before 0 or 1.
fn is_pointer(text: &str) -> bool {
    text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}
