//! Credentials that cannot be read, or are not accepted.

use super::{Differences, FORMAT, JSON, ONE, QUERY, UNAUTHORIZED};
use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::start_memory,
    query::authorization,
};

/// Its payload is `{"exp":1}`.
const EXPIRED: &str = "Bearer eyJhbGciOiJub25lIn0.eyJleHAiOjF9.x";

#[tokio::test]
async fn credentials_that_are_not_accepted() {
    let wrong = authorization("neo4j", "wrong");
    let expired = "Neo.ClientError.Security.TokenExpired";
    let tables = [
        (
            &[][..],
            vec![
                ("a header that is none", "let me in", 400, FORMAT, "Invalid authentication header."),
                ("no base64", "Basic neo4j:secret", 400, FORMAT, "Invalid authentication header."),
                ("Basic without a colon", "Basic bmVvNGo=", 400, FORMAT, "Invalid authentication header."),
                ("another scheme", "Digest x", 400, FORMAT, "Invalid authentication header."),
                ("a wrong password", &wrong, 401, UNAUTHORIZED, "Invalid credential."),
                ("a token that has expired", EXPIRED, 401, expired, "The token has expired."),
            ],
        ),
        (
            &[("auth.anonymous", "refuse"), ("auth.bearer", "refuse")],
            vec![
                ("no credentials", "", 401, UNAUTHORIZED, "No authentication header supplied."),
                (
                    "a token where passwords count",
                    EXPIRED,
                    401,
                    UNAUTHORIZED,
                    "This gateway does not accept tokens (auth.bearer); send user and password, with curl -u USER or as Authorization: Basic.",
                ),
            ],
        ),
        (
            &[("auth.anonymous", "refuse"), ("auth.basic", "refuse")],
            vec![(
                "a password where tokens count",
                &wrong,
                401,
                UNAUTHORIZED,
                "This gateway does not accept user names and passwords (auth.basic); send a token, as Authorization: Bearer TOKEN.",
            )],
        ),
    ];
    let mut differences = Differences(Vec::new());
    for (changes, mistakes) in tables {
        let fake = FakeNeo4j::start_with(Options::default()).await;
        let gateway = start_memory(move || fake.connect(), changes).await;
        for (mistake, credentials, status, code, text) in mistakes {
            let mut headers = vec![JSON, ("Authorization", credentials)];
            headers.retain(|(_, value)| !value.is_empty());
            let response = gateway.send("POST", QUERY, &headers, ONE).await;
            differences.look(mistake, &response, status, code, text);
        }
    }
}
