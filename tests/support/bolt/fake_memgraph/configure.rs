//! Which database and user a request runs as, with the cache that makes it forget.
//!
//! Owns: the session's current user and database; comparing `extra` with the previous one.
//! May not know: frames, results.

use std::sync::Arc;

use super::super::value::Value;
use super::Server;
use super::session::Error;
use super::sign_on::Granted;

/// Whom and where a session works for.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    /// Who logged in, with the rights of that moment.
    pub login: Granted,
    /// Who statements run as: the principal, or someone impersonated.
    pub user: String,
    pub db: String,
    /// The extra map that was last configured with success. Survives RESET, LOGOFF and LOGON.
    previous: Option<Value>,
    /// The request named its database, so `USE DATABASE` is refused.
    pub explicit_db: bool,
}

/// True if the cache takes `extra` for unchanged: same keys, and every value an equal scalar.
fn unchanged(previous: &Value, extra: &Value) -> bool {
    let (before, now) = (previous.as_map().unwrap_or_default(), extra.as_map().unwrap_or_default());
    let scalar = |value: &Value| !matches!(value, Value::List(_) | Value::Map(_) | Value::Null);
    before.len() == now.len()
        && now.iter().all(|(key, value)| scalar(value) && before.iter().any(|(k, old)| k == key && old == value))
}

fn text<'a>(extra: &'a Value, key: &str) -> Result<Option<&'a str>, Error> {
    match extra.get(key) {
        None => Ok(None),
        Some(Value::Str(text)) => Ok(Some(text)),
        Some(_) => Err(Error::client("Malformed config input.")),
    }
}

impl Identity {
    /// Before any login.
    pub fn anonymous() -> Identity {
        Identity { db: "memgraph".to_owned(), ..Identity::default() }
    }

    /// After a login: the user's own default database. The cache stays as it was.
    pub fn log_in(&mut self, login: Granted, server: &Server) {
        self.db = server.home(&login.principal);
        self.user.clone_from(&login.principal);
        self.login = login;
    }

    /// After LOGOFF.
    pub fn log_out(&mut self) {
        self.login = Granted::default();
        self.user.clear();
        self.db = "memgraph".to_owned();
    }

    /// Applies `extra` of a BEGIN, or of a RUN outside a transaction.
    pub fn configure(&mut self, extra: &Value, server: &Arc<Server>) -> Result<(), Error> {
        if self.previous.as_ref().is_some_and(|previous| unchanged(previous, extra)) {
            return Ok(());
        }
        let (user, db) = (text(extra, "imp_user")?, text(extra, "db")?);
        if let Some(user) = user {
            server.may_impersonate(&self.login, user)?;
        }
        self.user = user.unwrap_or(&self.login.principal).to_owned();
        self.db = server.home(&self.user);
        if let Some(db) = db {
            if !server.options.databases.iter().any(|known| known == db) {
                let what = format!("Tried to retrieve an unknown database \"{db}\".");
                return Err(Error::transient(&what));
            }
            self.db = db.to_owned();
        }
        self.explicit_db = db.is_some();
        self.previous = Some(extra.clone());
        Ok(())
    }
}

impl Server {
    pub(super) fn home(&self, user: &str) -> String {
        let users = self.knobs.users.lock().unwrap();
        let home = users.get(user).and_then(|user| user.home.clone());
        home.unwrap_or_else(|| "memgraph".to_owned())
    }

    fn may_impersonate(&self, login: &Granted, user: &str) -> Result<(), Error> {
        let users = self.knobs.users.lock().unwrap();
        if !users.contains_key(user) {
            return Err(Error::transient("Trying to impersonate a user that doesn't exist."));
        }
        if !self.options.license {
            return Err(Error::client(
                "Access to impersonate user requires an enterprise, ai_platform, or oem license.",
            ));
        }
        if login.principal.is_empty() {
            return Err(Error::client(
                "No session user. You must be logged-in in order to use the impersonate-user \
                 feature.",
            ));
        }
        if !login.is_admin() {
            return Err(Error::client(&format!(
                "Failed to impersonate user '{user}' on database 'memgraph'. Make sure you have \
                 the right privileges and that the user exists."
            )));
        }
        Ok(())
    }
}
