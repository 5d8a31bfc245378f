//! HELLO, LOGON, LOGOFF: who may come in, and what the server tells them.
//!
//! May not know: statements, transactions.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::control::User;
use super::super::value::{Value, map, strings, v};
use super::Server;
use super::handshake::Caps;
use super::reply::Error;

const UNAUTHORIZED: &str = "Neo.ClientError.Security.Unauthorized";

/// A successful login.
#[derive(Debug, Clone, Default)]
pub(super) struct Login {
    pub principal: String,
    pub credentials_expired: bool,
    /// Of a token.
    until: Option<Instant>,
    /// When the rights were looked up.
    authorization_epoch: u64,
}

/// What ends a login ends the connection.
fn no_longer(title: &str) -> Error {
    let description = "error: syntax error or access rule violation - auth info expired. Authentication and/or \
                       authorization info expired.";
    Error::new(&format!("Neo.ClientError.Security.{title}"), "Authorization info expired.").gql("42NFE", description)
}

fn unsupported(what: &str) -> Error {
    Error::new(UNAUTHORIZED, format!("Unsupported authentication token, {what}"))
}

fn text(auth: &Value, key: &str) -> Result<String, Error> {
    match auth.get(key) {
        Some(Value::Str(text)) => Ok(text.clone()),
        None => Err(unsupported(&format!("missing key `{key}`"))),
        Some(other) => Err(unsupported(&format!(
            "the value associated with the key `{key}` must be a String but was: {}",
            java_class(other)
        ))),
    }
}

fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Int(_) => "Long",
        Value::Float(_) => "Double",
        Value::Bool(_) => "Boolean",
        Value::Null => "null",
        _ => "Object",
    }
}

impl Server {
    /// Checks an auth token.
    ///
    /// # Errors
    /// The FAILURE that is followed by the end of the connection.
    pub(super) fn login(self: &Arc<Self>, auth: &Value) -> Result<Login, Error> {
        let outcome = self.authenticate(auth);
        self.ledger.login(auth, outcome.is_ok());
        Ok(Login { authorization_epoch: self.knobs.authorization_epoch(), ..outcome? })
    }

    /// Whether `login` still lets anything run.
    ///
    /// # Errors
    /// The FAILURE that is followed by the end of the connection.
    pub(super) fn check(&self, login: &Login) -> Result<(), Error> {
        if login.until.is_some_and(|until| until <= Instant::now()) {
            return Err(no_longer("TokenExpired"));
        }
        if self.options.auth && login.authorization_epoch != self.knobs.authorization_epoch() {
            return Err(no_longer("AuthorizationExpired"));
        }
        Ok(())
    }

    fn authenticate(&self, auth: &Value) -> Result<Login, Error> {
        if !self.options.auth {
            let principal = auth.get("principal").and_then(Value::as_str).unwrap_or_default();
            return Ok(Login { principal: principal.to_owned(), ..Login::default() });
        }
        let scheme = match auth.get("scheme") {
            None => return Err(unsupported("missing key `scheme`")),
            Some(scheme) => scheme.as_str().unwrap_or_default(),
        };
        match scheme {
            "basic" => self.basic(&text(auth, "principal")?, &text(auth, "credentials")?),
            "none" => Err(unsupported("scheme 'none' is only allowed when auth is disabled.")),
            other => self.token(other, auth),
        }
    }

    fn basic(&self, principal: &str, credentials: &str) -> Result<Login, Error> {
        self.refuse_locked(principal)?;
        let users = self.knobs.users.lock().unwrap();
        let user = users.get(principal).filter(|user| user.password == credentials);
        let mut failures = self.failures.lock().unwrap();
        let Some(User { expired, .. }) = user else {
            let (count, last) = failures.entry(principal.to_owned()).or_insert((0, Instant::now()));
            *count += 1;
            *last = Instant::now();
            let what = "The client is unauthorized due to authentication failure.";
            return Err(Error::new(UNAUTHORIZED, what));
        };
        failures.remove(principal);
        Ok(Login { principal: principal.to_owned(), credentials_expired: *expired, ..Login::default() })
    }

    /// Three bad passwords lock the user out for a while, with the right one too.
    fn refuse_locked(&self, principal: &str) -> Result<(), Error> {
        let mut failures = self.failures.lock().unwrap();
        match failures.get(principal) {
            Some((3.., last)) if last.elapsed() < self.options.lock_time => Err(Error::new(
                "Neo.ClientError.Security.AuthenticationRateLimit",
                "The client has provided incorrect authentication details too many times in a row.",
            )),
            Some((3.., _)) => {
                failures.remove(principal);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn token(&self, scheme: &str, auth: &Value) -> Result<Login, Error> {
        let known = self.knobs.tokens.lock().unwrap().keys().any(|(known, _)| known == scheme);
        if !self.options.enterprise || !known {
            return Err(unsupported(&format!("scheme '{scheme}' is not supported.")));
        }
        match self.knobs.token(scheme, &text(auth, "credentials")?) {
            Some(token) if token.expired() => Err(no_longer("TokenExpired")),
            Some(token) => Ok(Login { principal: token.principal, until: token.until, ..Login::default() }),
            None => Err(Error::new(UNAUTHORIZED, "The client is unauthorized due to authentication failure.")),
        }
    }

    /// Metadata of HELLO's SUCCESS.
    pub(super) fn greeting(&self, connection: u64, caps: Caps) -> Value {
        let mut hints = map([("connection.recv_timeout_seconds", v(self.options.recv_timeout_seconds))]);
        if caps.at_least(5, 4) && self.options.telemetry {
            hints.put("telemetry.enabled", true);
        }
        if caps.at_least(5, 8) {
            hints.put("ssr.enabled", true);
        }
        let mut meta = map([
            ("server", v(&*self.options.agent)),
            ("connection_id", v(format!("bolt-{connection}"))),
            ("hints", hints),
        ]);
        if caps.utc_patch {
            meta.put("patch_bolt", strings(&["utc"]));
        }
        if caps.by_manifest {
            meta.put("protocol_version", format!("{}.{}", caps.version.0, caps.version.1));
        }
        meta
    }
}
