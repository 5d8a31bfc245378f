//! A gateway in front of a fake Memgraph with auth modules.

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::Logons,
        fake_memgraph::{AuthModule, FakeMemgraph, Oidc, Options},
        issuer::{AUDIENCE, Issuer},
        message,
        value::{self, map, v},
    },
    gateway::{self, Gateway},
    http::Response,
    query::values,
};

pub const PATH: &str = "/db/memgraph/query/v2";
pub const OIDC_SCHEMES: [&str; 3] = ["oidc-custom", "oidc-entra-id", "oidc-okta"];
pub const SCHEME: &str = "Boltgate-Auth-Scheme";

pub struct Stand {
    pub fake: FakeMemgraph,
    pub gateway: Gateway,
    pub issuer: Issuer,
}

/// Where Memgraph finds the name of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// `id:sub`.
    IdToken,
    /// `access:sub`.
    AccessToken,
}

impl Stand {
    /// All OIDC schemes are mapped to the reference module, `saml-entra-id` and `kerberos` to one that knows a table.
    /// The roles `reader` and `writer` exist.
    pub async fn start(named_by: NamedBy, settings: &[(&'static str, &str)]) -> Self {
        Self::start_with(Options::default(), named_by, settings).await
    }

    pub async fn start_with(options: Options, named_by: NamedBy, settings: &[(&'static str, &str)]) -> Self {
        let fake = FakeMemgraph::start_with(options.with_roles(["reader", "writer"])).await;
        let issuer = Issuer::default();
        for scheme in OIDC_SCHEMES {
            let module = Oidc::new(issuer.keys(), AUDIENCE, ["reader", "writer"]);
            let module = if named_by == NamedBy::AccessToken { module.named_by_access("sub") } else { module };
            fake.map_scheme(scheme, AuthModule::Oidc(module));
        }
        for scheme in ["saml-entra-id", "kerberos"] {
            fake.map_scheme(scheme, AuthModule::Table);
        }
        let gateway = gateway::start_for_with(&fake.uri(), settings).await;
        Self { fake, gateway, issuer }
    }

    /// Asks the database who the caller is.
    pub async fn ask(&self, token: &str, headers: &[(&str, &str)]) -> Response {
        let authorization = format!("Bearer {token}");
        let own = [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
        let body = json!({ "statement": "WHOAMI" }).to_string();
        self.gateway.send("POST", PATH, &[&own, headers].concat(), &body).await
    }

    /// How often the database was asked to take this login.
    pub fn logons(&self, scheme: &str, credentials: &str) -> Logons {
        self.fake.control.logons(&map([("scheme", v(scheme)), ("credentials", v(credentials))]))
    }

    /// The auth maps that the database was shown, in their order.
    pub fn shown(&self) -> Vec<value::Value> {
        let seen = self.fake.control.seen();
        seen.iter()
            .filter(|seen| seen.name() == message::name(message::LOGON))
            .map(|s| s.field(0).unwrap().clone())
            .collect()
    }

    /// Nothing was said to the database that a login could be.
    pub fn nobody_came(&self) {
        assert_eq!(self.fake.control.counts().accepted, 0, "a connection was opened");
    }

    /// The client did nothing that the real server punishes or that means nothing to it.
    pub fn is_content(&self) {
        assert_eq!(self.fake.violations(), [""; 0]);
    }
}

/// The person and the roles that the database sees.
pub fn person(response: &Response) -> (String, Value) {
    let row = &values(response)[0];
    (row[0].as_str().expect("a name").to_owned(), row[9].clone())
}
