//! Tests of the comparison itself, which ask no server: each kind of difference must be seen, each placeholder and
//! deviation must stay as narrow as it claims.

use std::collections::BTreeSet;

use super::{
    case,
    compare::{Deviation, compare},
    folder,
    normalise::{Names, normalise},
};
use crate::support::{http::Response, json::Json};

const PLAIN: &str = "application/json";
const LINES: &str = "application/jsonl";

fn answer(status: u16, content_type: &str, body: &str) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
        body: body.as_bytes().to_vec(),
    }
}

fn differs_with(theirs: &Response, ours: &Response, allowed: &[Deviation]) -> bool {
    let names = Names { host: "127.0.0.1:1".to_owned(), ..Names::default() };
    let allowed: BTreeSet<_> = allowed.iter().copied().collect();
    let [theirs, ours] = [theirs, ours].map(|response| normalise(response, &[], &names));
    compare(&theirs, &ours, &allowed).difference.is_some()
}

fn differs(theirs: &str, ours: &str) -> bool {
    differs_with(&answer(202, PLAIN, theirs), &answer(202, PLAIN, ours), &[])
}

fn cell(value: &str) -> String {
    format!(r#"{{"data":{{"fields":["x"],"values":[[{value}]]}}}}"#)
}

#[test]
fn status_and_content_type_are_compared() {
    let body = r#"{"errors":[]}"#;
    assert!(differs_with(&answer(202, PLAIN, body), &answer(200, PLAIN, body), &[]));
    let charset = "application/json;charset=utf-8";
    assert!(differs_with(&answer(202, PLAIN, body), &answer(202, charset, body), &[]));
    assert!(!differs_with(&answer(202, PLAIN, body), &answer(202, PLAIN, body), &[]));
}

#[test]
fn numbers_are_compared_as_written() {
    assert!(differs(&cell("1"), &cell("1.0")));
    assert!(differs(&cell("1.0E7"), &cell("10000000.0")));
    assert!(differs(&cell("9007199254740993"), &cell("9007199254740992")));
    assert!(differs(&cell("1"), &cell("\"1\"")));
    assert!(!differs(&cell("9223372036854775807"), &cell("9223372036854775807")));
}

#[test]
fn escapes_do_not_matter_but_characters_do() {
    assert!(!differs(&cell(r#""\uD83D\uDE00/""#), &cell(r#""😀\/""#)));
    assert!(differs(&cell(r#""a""#), &cell(r#""A""#)));
}

#[test]
fn the_order_of_the_apis_own_keys_matters() {
    assert!(differs(r#"{"queryType":"r","bookmarks":[]}"#, r#"{"bookmarks":[],"queryType":"r"}"#));
    let typed = r#"{"$type":"Integer","_value":"1"}"#;
    assert!(differs(&cell(typed), &cell(r#"{"_value":"1","$type":"Integer"}"#)));
    let node = r#"{"elementId":"4:x:0","labels":[],"properties":{"a":1,"b":2}}"#;
    assert!(differs(&cell(node), &cell(r#"{"labels":[],"elementId":"4:x:0","properties":{"a":1,"b":2}}"#)));
    assert!(!differs(&cell(node), &cell(r#"{"elementId":"4:x:0","labels":[],"properties":{"b":2,"a":1}}"#)));
    assert!(!differs(&cell(r#"{"b":1,"a":{"d":1,"c":2}}"#), &cell(r#"{"a":{"c":2,"d":1},"b":1}"#)));
    assert!(differs(&cell(r#"{"a":1}"#), &cell(r#"{"a":1,"b":null}"#)));
}

#[test]
fn rows_fields_and_extra_members_matter() {
    let empty = r#"{"data":{"fields":["x"],"values":[]}}"#;
    assert!(differs(&cell("1"), empty));
    assert!(differs(empty, r#"{"data":{"fields":["y"],"values":[]}}"#));
    assert!(differs(empty, r#"{"data":{"fields":["x"],"values":[]},"errors":[]}"#));
}

#[test]
fn element_ids_differ_but_their_identity_must_not() {
    let id = |number: u8| format!("\"4:0198c1f3-28ba-4c66-9f23-3ad2bb8a0d{number:02}:{number}\"");
    let pair = |a, b| cell(&format!("[{},{}]", id(a), id(b)));
    assert!(!differs(&pair(1, 2), &pair(7, 8)));
    assert!(!differs(&pair(1, 1), &pair(7, 7)));
    assert!(differs(&pair(1, 2), &pair(7, 7)));
    assert!(differs(&cell(&id(1)), &cell("\"17\"")));
}

#[test]
fn placeholders_need_presence_and_shape() {
    let timing = |value| format!(r#"{{"resultAvailableAfter":{value}}}"#);
    assert!(!differs(&timing("1"), &timing("250")));
    assert!(differs(&timing("1"), &timing("1.5")));
    assert!(differs(&timing("1"), &timing("\"1\"")));
    assert!(differs(&timing("1"), "{}"));
    let bookmarks = |value| format!(r#"{{"bookmarks":[{value}]}}"#);
    assert!(!differs(&bookmarks("\"FB:abc\""), &bookmarks("\"FB:def\"")));
    assert!(differs(&bookmarks("\"FB:abc\""), &bookmarks("\"abc\"")));
    assert!(differs(&bookmarks("\"FB:abc\""), &bookmarks("\"FB:a\",\"FB:b\"")));
    let transaction = |expires| format!(r#"{{"transaction":{{"id":"a1","expires":"{expires}"}}}}"#);
    assert!(!differs(&transaction("2026-01-01T00:00:00Z"), &transaction("2030-12-31T23:59:59Z")));
    assert!(differs(&transaction("2026-01-01T00:00:00Z"), &transaction("2026-01-01T00:00:00.1Z")));
}

#[test]
fn plans_differ_only_in_memory_and_time() {
    let plan = |hits, memory| {
        format!(
            r#"{{"profiledQueryPlan":{{"arguments":{{"Memory":{memory},"Rows":1}},"dbHits":{hits},"children":[]}}}}"#
        )
    };
    assert!(!differs(&plan(1, 312), &plan(1, 9)));
    assert!(differs(&plan(1, 312), &plan(2, 312)));
}

#[test]
fn lines_are_compared_as_a_whole_list() {
    let lines = |body| answer(202, LINES, body);
    let one = "{\"$event\":\"Header\",\"_body\":{}}\n";
    let spaced = "{\"$event\":\"Header\",\"_body\":{}}\n {\"$event\":\"Record\",\"_body\":[1]}\n";
    let plain = "{\"$event\":\"Header\",\"_body\":{}}\n{\"$event\":\"Record\",\"_body\":[1]}\n";
    assert!(!differs_with(&lines(spaced), &lines(plain), &[]));
    assert!(differs_with(&lines(spaced), &lines(one), &[]));
    assert!(differs_with(&lines(plain), &lines(plain.trim_end()), &[]));
    assert!(differs_with(&lines(one), &lines("{\"$event\":\"Header\"}\n"), &[]));
}

#[test]
fn a_body_that_is_not_json_differs() {
    assert!(differs(&cell("1"), "{\"data\":"));
    assert!(differs(&cell("1"), &format!("{}x", cell("1"))));
}

fn error(status: u16, code: &str, message: &str) -> Response {
    answer(status, PLAIN, &format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#))
}

#[test]
fn bad_request_may_say_more_but_nothing_else() {
    let code = "Neo.ClientError.Request.Invalid";
    let theirs = error(400, code, "Bad Request");
    assert!(!differs_with(&theirs, &error(400, code, "Bad Request: unknown field \\\"x\\\""), &[]));
    assert!(differs_with(&theirs, &error(400, code, "unknown field"), &[]));
    assert!(differs_with(&theirs, &error(422, code, "Bad Request: x"), &[]));
    assert!(differs_with(&theirs, &error(400, "Neo.ClientError.Request.InvalidFormat", "Bad Request"), &[]));
    let other = error(400, code, "Type Foo is not supported.");
    assert!(differs_with(&other, &error(400, code, "Type Foo is not supported. Sorry."), &[]));
}

#[test]
fn other_words_of_http_may_say_more_too() {
    let code = "Neo.ClientError.Request.Invalid";
    for (status, word) in
        [(404, "Not Found"), (405, "Method Not Allowed"), (406, "Not Acceptable"), (415, "Unsupported Media Type")]
    {
        let theirs = error(status, code, word);
        assert!(!differs_with(&theirs, &error(status, code, &format!("{word}: send a, b")), &[]));
        assert!(differs_with(&theirs, &error(status, code, &format!("{word} send a, b")), &[]));
        assert!(differs_with(&theirs, &error(400, code, &format!("{word}: send a, b")), &[]));
    }
}

#[test]
fn a_packed_body_may_be_understood_where_allowed() {
    let code = "Neo.ClientError.Request.Invalid";
    let (theirs, allowed) = (error(400, code, "Bad Request"), [Deviation::ContentEncoding]);
    let ours = answer(202, PLAIN, r#"{"data":{"fields":[],"values":[]}}"#);
    assert!(!differs_with(&theirs, &ours, &allowed));
    assert!(differs_with(&theirs, &ours, &[]));
    assert!(differs_with(&theirs, &error(202, code, "else"), &allowed));
    assert!(differs_with(&error(400, code, "else"), &ours, &allowed));
}

#[test]
fn an_error_about_rows_may_say_that_the_statement_took_effect_where_allowed() {
    let (code, allowed) = ("Neo.ClientError.Request.Invalid", [Deviation::CarriedOut]);
    let theirs = error(202, code, "Type X is not supported.");
    let told = |behind: &str| error(202, code, &format!("Type X is not supported.{behind}"));
    let ours = told(" The statement was executed and committed nevertheless.");
    assert!(!differs_with(&theirs, &ours, &allowed));
    assert!(differs_with(&theirs, &ours, &[]));
    assert!(differs_with(&theirs, &told(" The statement was rolled back."), &allowed));
}

fn differs_in(name: &str, status: u16, [theirs, ours]: [Option<&str>; 2], allowed: &[Deviation]) -> bool {
    let names = Names { host: "127.0.0.1:1".to_owned(), ..Names::default() };
    let answers = [theirs, ours].map(|value| {
        let mut response = error(status, "c", "m");
        response.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        normalise(&response, &[name.to_owned()], &names)
    });
    let allowed: BTreeSet<_> = allowed.iter().copied().collect();
    compare(&answers[0], &answers[1], &allowed).difference.is_some()
}

#[test]
fn headers_differ_only_where_that_is_meant() {
    let allow = [None, Some("POST,OPTIONS")];
    assert!(!differs_in("Allow", 405, allow, &[Deviation::Allow]));
    assert!(differs_in("Allow", 405, allow, &[]));
    assert!(differs_in("Allow", 404, allow, &[Deviation::Allow]));
    assert!(differs_in("Allow", 405, [Some("GET"), Some("POST,OPTIONS")], &[Deviation::Allow]));
    let challenge = [Some("None"), None];
    assert!(!differs_in("WWW-Authenticate", 401, challenge, &[Deviation::AjaxChallenge]));
    assert!(differs_in("WWW-Authenticate", 401, challenge, &[]));
    assert!(differs_in("WWW-Authenticate", 401, [Some("Basic"), None], &[Deviation::AjaxChallenge]));
    let theirs = Some("Basic realm=\"Neo4j\", Bearer realm=\"Neo4j\"");
    assert!(!differs_in(
        "WWW-Authenticate",
        401,
        [theirs, Some("Basic realm=\"boltgate\", Bearer realm=\"boltgate\"")],
        &[]
    ));
    assert!(differs_in("WWW-Authenticate", 401, [theirs, Some("Basic realm=\"boltgate\"")], &[]));
}

#[test]
fn unknown_error_may_become_a_client_error_where_allowed() {
    let theirs = error(500, "Neo.DatabaseError.General.UnknownError", "An unknown error occurred.");
    let ours = error(400, "Neo.ClientError.Request.Invalid", "Bad Request: null");
    let allowed = [Deviation::UnknownError];
    assert!(!differs_with(&theirs, &ours, &allowed));
    assert!(differs_with(&theirs, &ours, &[]));
    assert!(differs_with(&theirs, &error(200, "Neo.ClientError.Request.Invalid", "x"), &allowed));
    assert!(differs_with(&theirs, &error(400, "Neo.DatabaseError.General.UnknownError", "x"), &allowed));
    assert!(differs_with(&theirs, &answer(400, PLAIN, "{}"), &allowed));
}

#[test]
fn float32_digits_are_accepted_only_for_the_same_number() {
    let allowed = [Deviation::Float32Digits];
    let pair = |theirs: &str, ours: &str| (answer(202, PLAIN, &cell(theirs)), answer(202, PLAIN, &cell(ours)));
    let (theirs, ours) = pair("3.1415927", "3.1415927410125732");
    assert!(!differs_with(&theirs, &ours, &allowed));
    assert!(differs_with(&theirs, &ours, &[]));
    let (theirs, ours) = pair("3.1415927", "3.141592653589793");
    assert!(differs_with(&theirs, &ours, &allowed));
    let (theirs, ours) = pair("1.0", "1");
    assert!(differs_with(&theirs, &ours, &allowed));
}

#[test]
fn malformed_credentials_may_be_refused_where_allowed() {
    let theirs = answer(202, PLAIN, &cell("1"));
    let refusal =
        r#"{"errors":[{"code":"Neo.ClientError.Request.InvalidFormat","message":"Invalid authentication header."}]}"#;
    let ours = answer(400, "application/json;charset=utf-8", refusal);
    assert!(!differs_with(&theirs, &ours, &[Deviation::CredentialsSyntax]));
    assert!(differs_with(&theirs, &ours, &[]));
    assert!(differs_with(&theirs, &answer(400, PLAIN, refusal), &[Deviation::CredentialsSyntax]));
}

#[test]
fn every_deviation_is_listed_with_a_reason_and_used() {
    let text = std::fs::read_to_string(folder().join("deviations.json")).unwrap_or_default();
    let listed = Json::parse(&text).unwrap_or(Json::Null);
    let names: BTreeSet<_> = listed.members().iter().map(|(name, _)| name.as_str()).collect();
    let known: BTreeSet<_> = Deviation::ALL.iter().map(|deviation| deviation.name()).collect();
    assert_eq!(names, known, "deviations.json and the rules must name the same deviations");
    for (name, reason) in listed.members() {
        assert!(reason.as_str().is_some_and(|text| text.len() > 40), "{name} has no reason");
    }
    let cases = case::load_all(&folder()).unwrap_or_default();
    let used: BTreeSet<_> = cases.iter().flat_map(|case| case.deviations.iter().map(String::as_str)).collect();
    let named = Deviation::ALL.iter().filter(|deviation| !deviation.is_general());
    let named: BTreeSet<_> = named.map(|deviation| deviation.name()).collect();
    assert_eq!(used, named, "the deviations that cases name, and those there are");
}
