//! Who may come in: schemes, local users, single sign-on.
//!
//! Owns: which scheme is handled how, what a login grants for as long as its connection lives.
//! Promises: what a correct client never puts beside single sign-on credentials is recorded.
//! May not know: how a module judges, frames, statements.

use super::super::value::Value;
use super::Server;
use super::oidc::Oidc;
use super::session::Flow;

/// What stands behind a scheme that is mapped to an auth module.
#[derive(Debug, Clone)]
pub enum AuthModule {
    /// Knows the credentials that `Control::set_token` names: SAML, Kerberos, or any other.
    Table,
    Oidc(Oidc),
}

/// May do everything.
pub(super) const ADMIN: &str = "admin";

/// What a login gives. It is looked up once: later changes of the user do not reach an open connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Granted {
    /// Empty if nobody had to log in.
    pub principal: String,
    pub roles: Vec<String>,
}

impl Granted {
    fn of(principal: &str, admin: bool) -> Granted {
        let roles = if admin { vec![ADMIN.to_owned()] } else { Vec::new() };
        Granted { principal: principal.to_owned(), roles }
    }

    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == ADMIN)
    }
}

impl Server {
    /// What the auth map grants; `None` if it is refused. `in_hello`: the map holds what else HELLO says, too.
    pub(super) fn authenticate(&self, auth: &Value, in_hello: bool) -> Result<Option<Granted>, Flow> {
        let scheme = match auth.get("scheme") {
            Some(Value::Str(scheme)) => scheme,
            _ if self.options.lenient_login || auth.as_map().is_some_and(<[_]>::is_empty) => "none",
            _ => return Err(Flow::Silent("a login without a scheme".to_owned())),
        };
        if let Some(module) = self.module(scheme) {
            self.inspect_sso(scheme, auth, in_hello);
            let Some(Value::Str(credentials)) = auth.get("credentials") else {
                return Err(Flow::Exception("SSO without credentials".to_owned()));
            };
            return Ok(self.sign_on(scheme, &module, credentials));
        }
        match scheme {
            "none" | "basic" => self.local(auth),
            _ => Ok(None),
        }
    }

    fn module(&self, scheme: &str) -> Option<AuthModule> {
        if let Some(module) = self.modules.lock().unwrap().get(scheme) {
            return Some(module.clone());
        }
        let tokens = self.knobs.tokens.lock().unwrap();
        tokens.keys().any(|(known, _)| known == scheme).then_some(AuthModule::Table)
    }

    /// The real server reads nothing but the credentials; a client that sends more means something by it.
    fn inspect_sso(&self, scheme: &str, auth: &Value, in_hello: bool) {
        for (key, _) in auth.as_map().unwrap_or_default() {
            let expected = match key.as_str() {
                "scheme" | "credentials" => true,
                "principal" | "realm" => false,
                _ => in_hello,
            };
            if !expected {
                self.knobs.violation(format!("a login under {scheme} with the key {key}"));
            }
        }
    }

    fn sign_on(&self, scheme: &str, module: &AuthModule, credentials: &str) -> Option<Granted> {
        if !self.options.license {
            return None;
        }
        let granted = match module {
            AuthModule::Table => Granted::of(&self.knobs.token(scheme, credentials)?.live()?.principal, false),
            AuthModule::Oidc(module) => {
                let (principal, roles) = module.authenticate(credentials)?;
                Granted { principal, roles }
            }
        };
        let taken = self.knobs.users.lock().unwrap().contains_key(&granted.principal);
        let known = granted.roles.iter().all(|role| self.options.roles.contains(role));
        (!taken && known).then_some(granted)
    }

    fn local(&self, auth: &Value) -> Result<Option<Granted>, Flow> {
        let text = |key: &str| match auth.get(key) {
            Some(Value::Str(text)) => Ok(text.as_str()),
            Some(_) if !self.options.lenient_login => Err(Flow::Silent(format!("a login whose {key} is no string"))),
            _ => {
                self.warn(&format!("The client didn't supply the {key} field! Trying with \"\"..."));
                Ok("")
            }
        };
        let (principal, credentials) = (text("principal")?, text("credentials")?);
        let users = self.knobs.users.lock().unwrap();
        if users.is_empty() && self.modules.lock().unwrap().is_empty() && self.knobs.tokens.lock().unwrap().is_empty() {
            // Access is not controlled, for this connection not even when users come later.
            return Ok(Some(Granted::of("", true)));
        }
        let user = users.get(principal).filter(|user| user.password == credentials);
        Ok(user.map(|user| Granted::of(principal, user.admin)))
    }
}
