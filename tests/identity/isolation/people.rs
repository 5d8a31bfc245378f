//! Who asks, and as whom the database should see them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::bolt::control::{Control, User};

/// Somebody with credentials.
#[derive(Debug, Clone)]
pub struct Person {
    /// `Authorization`, if any.
    pub authorization: Option<String>,
    /// Whom the database sees.
    pub principal: Value,
    /// May act as others.
    pub admin: bool,
}

fn basic(name: &str, password: &str) -> Option<String> {
    Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}

impl Person {
    /// Without credentials, where the database wants none.
    pub fn anonymous() -> Self {
        Self { authorization: None, principal: json!(""), admin: false }
    }

    /// So many with names, where the database believes them.
    pub fn named(count: usize) -> Vec<Self> {
        let person = |name: String| Self { authorization: basic(&name, "x"), principal: json!(name), admin: false };
        (0..count).map(|number| person(format!("named{number}"))).collect()
    }

    /// Whom the database must not let in: wrong passwords of users there are, wrong tokens, nobody.
    pub fn strangers() -> Vec<Self> {
        let user = |number: usize| basic(&name(number), &password(number + 1));
        let credentials = [user(1), user(2), user(4), Some("Bearer token-x".into()), None];
        credentials.map(|authorization| Self { authorization, principal: Value::Null, admin: false }).into()
    }
}

fn name(number: usize) -> String {
    format!("user{number}")
}

fn password(number: usize) -> String {
    format!("secret{number}")
}

/// So many users with passwords; every fourth may act as others.
pub fn users(control: &Control, count: usize) -> Vec<Person> {
    let user = |number: usize| {
        let admin = number.is_multiple_of(4);
        control.set_user(&name(number), User { password: password(number), admin, ..User::default() });
        Person { authorization: basic(&name(number), &password(number)), principal: json!(name(number)), admin }
    };
    (0..count).map(user).collect()
}

/// So many with tokens.
pub fn tokens(control: &Control, count: usize) -> Vec<Person> {
    let person = |number: usize| {
        let (token, name) = (format!("token-{number}"), format!("bearer{number}"));
        control.set_token("bearer", &token, &name);
        Person { authorization: Some(format!("Bearer {token}")), principal: json!(name), admin: false }
    };
    (0..count).map(person).collect()
}
