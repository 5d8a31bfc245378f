//! Settings of authentication.

use axum::http::HeaderName;
use zeroize::Zeroizing;

use super::named;
use crate::{
    auth::{
        self, Form, Policy, Rule,
        token::{self, Algorithm, ClaimPath, IssuerSettings, KeySource},
    },
    config::{self, Issuer},
    named::Queries,
};

pub(in crate::server) fn settings(settings: &config::Settings, queries: &Queries) -> auth::Settings {
    let auth = &settings.auth;
    let account = &auth.service_account;
    auth::Settings {
        policy: Policy {
            anonymous: inbound(auth.anonymous),
            basic: inbound(auth.basic),
            bearer: inbound(auth.bearer),
            scheme: auth.bearer_scheme.as_str().to_owned(),
            form: match auth.bearer_credentials {
                config::BearerCredentials::Auto => Form::Auto,
                config::BearerCredentials::Token => Form::Token,
                config::BearerCredentials::Pairs => Form::Pairs,
            },
            request_schemes: auth.request_schemes.iter().map(|scheme| scheme.as_str().to_owned()).collect(),
            issuer_schemes: auth
                .issuers
                .values()
                .map(|issuer| issuer.scheme.as_ref().map(|scheme| scheme.as_str().to_owned()))
                .collect(),
            impersonation: impersonation(auth),
            claims: named::read_claims(settings, queries),
        },
        realm: auth.realm.as_str().to_owned(),
        service_account: auth::ServiceAccount {
            user: account.user.clone(),
            password: Zeroizing::new(account.password.expose().to_owned()),
            read_only: account.read_only,
        },
        tokens: token::Settings {
            issuers: auth.issuers.iter().map(|(name, settings)| issuer(name, settings)).collect(),
            leeway: auth.leeway.get(),
            stale_keys: auth.stale_keys.get(),
        },
    }
}

/// The header that carries ID tokens.
pub(super) fn id_token_header(auth: &config::Auth) -> HeaderName {
    let Ok(name) = HeaderName::try_from(auth.id_token_header.as_str()) else {
        unreachable!("the settings hold only names of headers");
    };
    name
}

fn inbound(setting: config::Inbound) -> auth::Inbound {
    match setting {
        config::Inbound::Forward => auth::Inbound::Forward,
        config::Inbound::Service => auth::Inbound::Service,
        config::Inbound::Refuse => auth::Inbound::Refuse,
    }
}

fn impersonation(auth: &config::Auth) -> auth::Impersonation {
    use config::Impersonation::{Any, Database, List, Off, Own};
    match auth.impersonation {
        Off => auth::Impersonation::Off,
        Own => auth::Impersonation::Own,
        Database => auth::Impersonation::Database,
        Any => auth::Impersonation::Any,
        List => {
            let rules = auth.impersonation_list.iter();
            auth::Impersonation::List(
                rules.map(|rule| Rule { who: rule.who.clone(), whom: rule.whom.clone() }).collect(),
            )
        }
    }
}

fn issuer(name: &str, settings: &Issuer) -> IssuerSettings {
    let keys = if !settings.secret.is_empty() {
        KeySource::Secret(Zeroizing::new(settings.secret.expose().to_owned()))
    } else if let Some(path) = &settings.key_file {
        KeySource::File(path.clone())
    } else if !settings.jwks_url.is_empty() {
        KeySource::Url(settings.jwks_url.clone())
    } else {
        KeySource::Discovery
    };
    let algorithms = match settings.algorithms.as_slice() {
        [] if settings.secret.is_empty() => vec![Algorithm::RS256, Algorithm::ES256],
        [] => vec![Algorithm::HS256],
        chosen => chosen.iter().copied().map(algorithm).collect(),
    };
    IssuerSettings {
        name: name.to_owned(),
        issuer: settings.issuer.clone(),
        audience: settings.audience.clone(),
        algorithms,
        keys,
        ca_file: settings.ca_file.clone(),
        allow_http: settings.allow_http,
        user_claim: (!settings.user_claim.is_empty()).then(|| ClaimPath::new(&settings.user_claim)),
    }
}

fn algorithm(setting: config::Algorithm) -> Algorithm {
    match setting {
        config::Algorithm::RS256 => Algorithm::RS256,
        config::Algorithm::RS384 => Algorithm::RS384,
        config::Algorithm::RS512 => Algorithm::RS512,
        config::Algorithm::PS256 => Algorithm::PS256,
        config::Algorithm::PS384 => Algorithm::PS384,
        config::Algorithm::PS512 => Algorithm::PS512,
        config::Algorithm::ES256 => Algorithm::ES256,
        config::Algorithm::ES384 => Algorithm::ES384,
        config::Algorithm::EdDSA => Algorithm::EdDSA,
        config::Algorithm::HS256 => Algorithm::HS256,
        config::Algorithm::HS384 => Algorithm::HS384,
        config::Algorithm::HS512 => Algorithm::HS512,
    }
}
