//! Owns the rules between the settings of `[auth]`.
//!
//! Promises that a policy lets nobody in by mistake and that no setting is without effect. May not know the other
//! sections.

use crate::config::{
    effective::Effective,
    error::ConfigError,
    settings::{Algorithm, Auth, Impersonation, Inbound, Issuer},
};

/// The minimum size of a shared key, in bytes (RFC 7518, section 3.2).
const MIN_SECRET: usize = 32;

/// Says which settings of `[auth]` contradict each other, as far as their values are not `in_doubt`. The rules of the
/// section depend on many of its keys, those of an issuer on all of its.
pub(super) fn check_auth(effective: &Effective, in_doubt: &dyn Fn(&str) -> bool) -> Vec<ConfigError> {
    let auth = &effective.settings.auth;
    let conflict = |key: &str, advice: &str| ConfigError::Conflict(format!("{} {advice}", effective.describe(key)));
    let of_auth = rules(auth, effective.settings.named.directory.is_some());
    let doubtful = of_auth.iter().any(|(_, key, _)| in_doubt(key));
    let broken = of_auth.into_iter().filter(|(holds, ..)| !holds && !doubtful);
    let mut contradictions: Vec<_> = broken.map(|(_, key, advice)| conflict(key, advice)).collect();
    for (name, issuer) in &auth.issuers {
        let key = |member: &str| format!("auth.issuers.{name}.{member}");
        let of_issuer = issuer_rules(issuer);
        if of_issuer.iter().any(|(_, member, _)| in_doubt(&key(member))) {
            continue;
        }
        let broken = of_issuer.into_iter().filter(|(holds, ..)| !holds);
        contradictions.extend(broken.map(|(_, member, advice)| conflict(&key(member), advice)));
        let twin = auth.issuers.iter().find(|(other, twin)| *other > name && twin.issuer == issuer.issuer);
        if let Some((twin, _)) = twin {
            let advice =
                format!("is also that of auth.issuers.{twin}, and a token names only its issuer; remove one of them");
            contradictions.push(conflict(&key("issuer"), &advice));
        }
    }
    contradictions
}

type Rule = (bool, &'static str, &'static str);

/// `named`: there are named queries, which may run on the service account.
fn rules(auth: &Auth, named: bool) -> [Rule; 8] {
    let open = auth.anonymous == Inbound::Service;
    let used = named || [auth.anonymous, auth.basic, auth.bearer].contains(&Inbound::Service);
    let account = &auth.service_account;
    let listed = auth.impersonation == Impersonation::List;
    [
        (
            auth.basic != Inbound::Service || open,
            "auth.basic",
            "lets everybody in, because nobody checks the password; if that is intended, set auth.anonymous = \"service\" \
             too",
        ),
        (
            auth.bearer != Inbound::Service || open || !auth.issuers.is_empty(),
            "auth.bearer",
            "lets everybody in, because nobody checks the token; add its issuer in [auth.issuers.NAME]",
        ),
        (
            auth.bearer != Inbound::Refuse || auth.issuers.is_empty(),
            "auth.bearer",
            "refuses all tokens, so [auth.issuers.NAME] has no effect; remove one or the other",
        ),
        (
            account.user.is_empty() || used,
            "auth.service_account.user",
            "has no effect; set auth.anonymous, auth.basic or auth.bearer to \"service\", or named.directory",
        ),
        (
            account.password.is_empty() || !account.user.is_empty(),
            "auth.service_account.password",
            "has no effect while auth.service_account.user is empty; set the user or remove the password",
        ),
        (
            !account.read_only || used,
            "auth.service_account.read_only",
            "has no effect; set auth.anonymous, auth.basic or auth.bearer to \"service\", or named.directory",
        ),
        (
            !listed || !auth.impersonation_list.is_empty(),
            "auth.impersonation",
            "needs rules; write them in auth.impersonation_list, or set \"off\"",
        ),
        (
            listed || auth.impersonation_list.is_empty(),
            "auth.impersonation_list",
            "has no effect unless auth.impersonation is \"list\"; set that, or remove the rules",
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
        (!issuer.issuer.is_empty(), "issuer", "must be set to the exact `iss` of the tokens"),
        (
            sources.iter().filter(|&&source| source).count() <= 1,
            "issuer",
            "has more than one source of keys; keep one of jwks_url, key_file and secret",
        ),
        (
            !discovered || is_allowed(&issuer.issuer),
            "issuer",
            "does not begin with https://, so OIDC discovery cannot find the keys; set jwks_url, key_file or secret, or \
             set allow_http",
        ),
        (
            jwks_url.is_empty() || is_allowed(jwks_url),
            "jwks_url",
            "does not begin with https://; if that is intended, set allow_http",
        ),
        (
            !issuer.audience.is_empty(),
            "audience",
            "must be set to the `aud` of tokens for this database, or to [\"*\"] for any",
        ),
        (
            !issuer.audience.iter().any(String::is_empty),
            "audience",
            "contains an empty text, which matches nothing; remove it, or write \"*\" for any",
        ),
        (
            !by_secret || secret.expose().len() >= MIN_SECRET,
            "secret",
            "is shorter than 32 bytes and could be guessed; use a longer one",
        ),
        (
            !by_secret || issuer.algorithms.iter().all(|algorithm| algorithm.is_symmetric()),
            "algorithms",
            "does not fit `secret`, which has only HS256, HS384 and HS512; remove the other algorithms",
        ),
        (
            by_secret || !issuer.algorithms.iter().copied().any(Algorithm::is_symmetric),
            "algorithms",
            "contains HS256, HS384 or HS512, which need `secret`, because other keys are public; remove them",
        ),
        (
            ca_file.is_none() || from_network,
            "ca_file",
            "has no effect, because the keys do not come from the network; remove it",
        ),
        (
            !issuer.allow_http || from_network,
            "allow_http",
            "has no effect, because the keys do not come from the network; remove it",
        ),
        (
            !user_claim.starts_with('/') || is_pointer(user_claim),
            "user_claim",
            "is not a JSON pointer; write the name of the claim, or a pointer such as \"/realm/user\"",
        ),
    ]
}

/// RFC 6901: `~` stands only before 0 or 1.
fn is_pointer(text: &str) -> bool {
    text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}
