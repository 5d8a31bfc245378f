//! Headers as clients write them.

use axum::http::HeaderName;

use super::*;

fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn accepted(value: &str) -> Result<String, Unfit> {
    Format::accepted(&headers(header::ACCEPT, &[value]), Offer::Rows).map(|format| format.content_type.into_owned())
}

#[test]
fn browsers_prefer_a_page_and_programs_do_not() {
    const CHROMIUM: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8";
    let prefers = |accept: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        prefers_page(&headers)
    };
    for page in
        [CHROMIUM, "text/html", "text/html, */*", "TEXT/HTML;charset=utf-8", "application/json;q=0.5, text/html"]
    {
        assert!(prefers(page), "{page}");
    }
    for program in [
        "*/*",
        "application/json",
        "application/json, text/plain, */*",
        "text/html, application/json",
        "text/html;q=0.5, application/json",
        "text/html;q=0.5, */*",
        "text/html;q=0",
        "text/plain",
        "text/html, nonsense/x/y",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    ] {
        assert!(!prefers(program), "{program}");
    }
    assert!(!prefers_page(&HeaderMap::new()));
}

#[test]
fn the_best_range_wins() {
    const T: &str = "application/vnd.neo4j.query";
    for (accept, expected) in [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application", JSON),
        (T, T),
        ("APPLICATION/JSON", JSON),
        ("APPLICATION/JSONL", "APPLICATION/JSONL"),
        ("application/vnd.neo4j.query;charset=UTF-8", "application/vnd.neo4j.query;charset=UTF-8"),
        ("application/json, application/vnd.neo4j.query", JSON),
        ("application/vnd.neo4j.query, application/json", T),
        ("*/*, application/vnd.neo4j.query", T),
        ("application/vnd.neo4j.query;q=0.5, application/json;q=0.6", JSON),
        ("application/json;q=0", JSON),
        ("text/html, application/json;q=0.1", JSON),
        ("application/json;charset=UTF-8", "application/json;charset=utf-8"),
        ("application/json; charset=UTF-8;", "application/json;charset=utf-8"),
        ("application/json;foo=bar;q=0.5", "application/json;foo=bar"),
        // Java's HttpURLConnection, unless it is told otherwise.
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
        ("application/json;q=.2, application/vnd.neo4j.query;q=.25", T),
        ("application/json;profile=\"a,b\"", "application/json;profile=\"a,b\""),
        ("application/json; Profile=\"a;b\" ;q=\".5\", text/html", "application/json;profile=\"a;b\""),
        ("application/json;profile=\"a\\\"b, c\\\\\"", "application/json;profile=\"a\\\"b, c\\\\\""),
        ("application/json;profile=\"ab\"", "application/json;profile=ab"),
        ("application/json;profile=\"\"", "application/json;profile="),
        ("application/json;charset=\"UTF-8\"", "application/json;charset=utf-8"),
        (
            "application/vnd.neo4j.query.v1.2, application/vnd.neo4j.query.v1.1;q=0.9",
            "application/vnd.neo4j.query.v1.2",
        ),
    ] {
        assert_eq!(accepted(accept).as_deref(), Ok(expected), "{accept}");
    }
}

#[test]
fn unsupported_and_malformed_ranges_are_told_apart() {
    for accept in ["text/html", "garbage", "application/vnd.neo4j.query+jsonl", "application/vnd.neo4j.query.v1.3"] {
        assert_eq!(accepted(accept), Err(Unfit::Unsupported), "{accept}");
    }
    for accept in [
        "a/b/c",
        ";",
        "application/json;q=1.5",
        "application/json;q=abc",
        "application/json;q=-1",
        "application/json;q=",
        "application/json;q=0.0001",
        "application/json;q=.",
        "application/json;q=.0001",
        "application/json;profile",
        "application/json;profile=",
        "application/json;profile=a b",
        "application/json;profile=\"ab",
        "application/json;profile=\"ab\\\"",
        "application/json;profile=\"a\"b",
    ] {
        assert!(matches!(accepted(accept), Err(Unfit::Malformed(_))), "{accept}");
    }
}

#[test]
fn headers_read_without_the_parser_agree_with_it() {
    for name in DOCUMENTS.into_iter().chain(LINES).map(|(name, _)| name).chain([
        "text/csv",
        "application/x-ndjson",
        graph::NAME,
        "*/*",
    ]) {
        let value = HeaderValue::from_static(name);
        let accept = headers(header::ACCEPT, &[name]);
        assert_eq!(
            Format::exactly(&value, Offer::Rows),
            Format::best(&accept.get_all(header::ACCEPT), Offer::Rows).ok(),
            "{name}"
        );
    }
    for name in DOCUMENTS.into_iter().chain(LINES).map(|(name, _)| name).chain(["*/*"]) {
        let content = content(&headers(header::CONTENT_TYPE, &[name]));
        assert_eq!(content, content_range(&HeaderValue::from_static(name)), "{name}");
    }
    for other in ["", "APPLICATION/JSON", "application/json;q=1", "application/json, */*", "application/*"] {
        assert_eq!(Format::exactly(&HeaderValue::from_static(other), Offer::Rows), None, "{other}");
    }
}

#[test]
fn several_headers_are_one_list() {
    let headers = headers(header::ACCEPT, &["text/html", "application/jsonl"]);
    assert_eq!(Format::accepted(&headers, Offer::Rows).unwrap().layout, Layout::Lines);
}

#[test]
fn request_bodies() {
    let content = |values: &[&str]| content(&headers(header::CONTENT_TYPE, values));
    assert_eq!(content(&[]), Ok(None));
    assert_eq!(content(&["application/json; charset=latin1"]), Ok(Some(View::Plain)));
    assert_eq!(content(&["application/vnd.neo4j.query.v1.2"]), Ok(Some(View::Typed(TypedVersion::V1_2))));
    assert_eq!(content(&["application/json;profile=\"a,b;c\""]), Ok(Some(View::Plain)));
    assert_eq!(content(&["*/*"]), Ok(Some(View::Plain)));
    for unsupported in ["text/json", "text/plain", "application/jsonl", "application/vnd.neo4j.query.v1.3"] {
        assert_eq!(content(&[unsupported]), Err(Unfit::Unsupported), "{unsupported}");
    }
    for malformed in [
        &[""][..],
        &["garbage"],
        &["application/json;profile=\"a,b"],
        &["a/b/c"],
        &["application/json, text/plain"],
        &[";foo"],
        &[JSON, JSON],
    ] {
        assert!(matches!(content(malformed), Err(Unfit::Malformed(_))), "{malformed:?}");
    }
}

#[test]
fn lines_of_loads() {
    let lines = |values: &[&str]| lines_content(&headers(header::CONTENT_TYPE, values));
    for name in [
        "application/ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "Application/NDJSON; charset=utf-8",
    ] {
        assert_eq!(lines(&[name]), Some(View::Plain), "{name}");
    }
    assert_eq!(lines(&["application/vnd.neo4j.query.v1.1+jsonl"]), Some(View::Typed(TypedVersion::V1_1)));
    for other in [&[][..], &[JSON], &["text/x-ndjson"], &["application/x-ndjson", "application/x-ndjson"]] {
        assert_eq!(lines(other), None, "{other:?}");
    }
}

#[test]
fn codings_of_bodies() {
    let coding = |values: &[&str]| coding(&headers(header::CONTENT_ENCODING, values));
    for none in [&[][..], &[""], &["identity"], &["Identity, identity"]] {
        assert_eq!(coding(none), Ok(None), "{none:?}");
    }
    for one in [&["gzip"][..], &["GZip"], &["x-gzip"], &["identity", "", " gzip ,"]] {
        assert_eq!(coding(one), Ok(Some(Coding::Gzip)), "{one:?}");
    }
    assert_eq!(coding(&["zstd"]), Ok(Some(Coding::Zstd)));
    for several in [&["gzip, zstd"][..], &["gzip", "zstd"]] {
        assert_eq!(coding(several), Err("gzip, zstd".to_owned()));
    }
    assert_eq!(coding(&["gzip,gzip,gzip"]), Err("gzip, gzip".to_owned()));
    assert_eq!(coding(&["identity", "identity , br"]), Err("br".to_owned()));
    assert_eq!(coding(&[&"x".repeat(100)]).map_err(|coding| coding.len()), Err(32));
}

#[test]
fn a_graph_has_the_shape_that_is_asked_for() {
    const GRAPH: &str = "application/vnd.boltgate.graph+json";
    let cytoscape = format!("{GRAPH};shape=cytoscape");
    for (accept, expected) in [
        (GRAPH, GRAPH),
        ("application/vnd.boltgate.graph+json; q=0.5; x=y, application/xml", GRAPH),
        ("application/vnd.boltgate.graph+json; Shape=\"Cytoscape\"", &cytoscape),
    ] {
        assert_eq!(accepted(accept).as_deref(), Ok(expected), "{accept}");
    }
    let refused = accepted("application/vnd.boltgate.graph+json;shape=sigma");
    assert!(matches!(refused, Err(Unfit::Malformed(text)) if text.contains("shape=cytoscape")), "{refused:?}");
}

#[test]
fn csv_says_what_it_honours() {
    for (accept, content_type) in [
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        ("text/csv;header=absent;x=y", "text/csv; charset=utf-8; header=absent"),
        (
            "TEXT/CSV; Formulas=Escape; bom=present",
            "text/csv; charset=utf-8; header=present; formulas=escape; bom=present",
        ),
        ("application/json;q=0.1, text/csv", "text/csv; charset=utf-8; header=present"),
    ] {
        assert_eq!(accepted(accept).as_deref(), Ok(content_type), "{accept}");
    }
    for accept in ["text/csv;header=no", "text/csv;formulas=", "text/csv;bom=absent"] {
        assert!(matches!(accepted(accept), Err(Unfit::Malformed(_))), "{accept}");
    }
}

#[test]
fn rows_alone_are_not_on_offer_everywhere() {
    for name in ["text/csv", "application/x-ndjson", graph::NAME] {
        let headers = headers(header::ACCEPT, &[name]);
        assert_eq!(Format::accepted(&headers, Offer::Events), Err(Unfit::Unsupported));
        assert!(!Offer::Events.names().contains(name) && Offer::Rows.names().contains(name));
    }
    let headers = headers(header::ACCEPT, &["text/csv, application/json;q=0.5"]);
    assert!(Format::accepted(&headers, Offer::Events).unwrap().is_plain());
}
