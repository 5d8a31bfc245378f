//! Bodies: every member with all values that it accepts, and the text of each error.

use crate::query::{Category, Severity};

use super::*;

const LIMITS: BodyLimits = BodyLimits { statement: 100, depth: 50, packed: usize::MAX };

fn parse(
    bytes: &[u8],
    typed: Option<TypedVersion>,
    kind: BodyKind,
    limits: &BodyLimits,
) -> Result<QueryBody, BodyError> {
    super::parse(Bytes::copy_from_slice(bytes), typed, kind, limits)
}

fn parse_row(line: &[u8], typed: Option<TypedVersion>, limits: &BodyLimits) -> Result<Vec<u8>, BodyError> {
    let mut out = Vec::new();
    super::parse_row(line, typed, limits, &mut out).map(|()| out)
}

fn opening(text: &str) -> Result<QueryBody, BodyError> {
    parse(text.as_bytes(), None, BodyKind::Opening, &LIMITS)
}

/// The body of a request with one more member than the statement.
fn with(member: &str) -> Result<QueryBody, BodyError> {
    opening(&format!("{{\"statement\":\"RETURN 1\",{member}}}"))
}

fn message(result: Result<QueryBody, BodyError>) -> String {
    match result {
        Err(BodyError::Malformed(message) | BodyError::TooDeep(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_body_is_an_empty_object() {
    for text in ["", "{}", " {\n} ", "{\"statement\":null}", "{\"statement\":\"\"}", "{}garbage", "{}\u{0}"] {
        assert_eq!(opening(text), Ok(QueryBody::default()), "{text:?}");
    }
    assert_eq!(QueryBody::default().parameters, [0xA0]);
}

#[test]
fn bodies_other_than_objects_are_refused() {
    for (text, expected) in [
        ("null", "the body must be an object, not null"),
        ("[]", "the body must be an object, not an array"),
        ("1", "the body must be an object, not the number 1"),
        ("\"x\"", "the body must be an object, not the string \"x\""),
        (" ", "line 1, column 2 (byte 1): expected a value, found the end of the text"),
        ("{not json", "line 1, column 2 (byte 1): expected a key in double quotes or }, found 'n'"),
        ("{\"statement\":\"x\"", "line 1, column 17 (byte 16): expected a comma or }, found the end of the text"),
    ] {
        assert_eq!(message(opening(text)), expected);
    }
    let invalid = parse(b"{\"statement\":\"\xE9\"}", None, BodyKind::Opening, &LIMITS);
    assert_eq!(message(invalid), "the body is not valid UTF-8 at byte 14; send JSON as UTF-8");
}

#[test]
fn members_come_in_any_order_and_the_last_of_two_counts() {
    let all = QueryBody {
        statement: Some("RETURN $x".into()),
        parameters: b"\xA1\x81x\x01".to_vec(),
        include_counters: true,
        access_mode: AccessMode::Read,
        max_execution_time: Some(Duration::from_secs(5)),
        bookmarks: vec!["FB:a".into(), "FB:b".into()],
        impersonated_user: Some("bob".into()),
        implicit: true,
        tx_metadata: Some(b"\xA1\x83app\x81y".to_vec()),
        notifications: NotificationFilter {
            minimum_severity: Some(Severity::Warning),
            disabled: vec![Category::Hint, Category::Schema],
        },
        ..QueryBody::default()
    };
    let mut members = [
        "\"statement\":\"RETURN $x\"",
        "\"parameters\":{\"x\":1}",
        "\"includeCounters\":true",
        "\"accessMode\":\"READ\"",
        "\"maxExecutionTime\":5",
        "\"bookmarks\":[\"FB:a\",\"FB:b\"]",
        "\"impersonatedUser\":\"bob\"",
        "\"txType\":\"IMPLICIT\"",
        "\"txMetadata\":{\"app\":\"y\"}",
        "\"notificationsFilter\":{\"minimumSeverityLevel\":\"WARNING\",\"disabledCategories\":[\"HINT\",\"SCHEMA\",\"HINT\"]}",
    ];
    for _ in 0..members.len() {
        members.rotate_left(1);
        assert_eq!(opening(&format!("{{{}}}", members.join(","))), Ok(all.clone()));
    }
    let twice = "{\"statement\":\"x\",\"parameters\":{\"x\":1},\"parameters\":null,\"statement\":\"RETURN 1\"}";
    let expected = QueryBody { statement: Some("RETURN 1".into()), ..QueryBody::default() };
    assert_eq!(opening(twice), Ok(expected));
    let refused = "{\"parameters\":{\"x\":9223372036854775808},\"parameters\":{}}";
    assert!(message(opening(refused)).starts_with("parameters.x: 9223372036854775808 does not fit in 64 bits"));
}

#[test]
fn parameters_are_read_as_the_media_type_says() {
    let text = "{\"parameters\":{\"x\":{\"$type\":\"Integer\",\"_value\":\"1\"},\"n\":null}}";
    let typed = |text: &str, version| parse(text.as_bytes(), Some(version), BodyKind::Inside, &LIMITS);
    let body = typed(text, TypedVersion::V1_0).unwrap();
    assert_eq!(body.parameters, b"\xA2\x81x\x01\x81n\xC0");
    assert_eq!(opening(text).unwrap().parameters[..5], *b"\xA2\x81x\xA2\x85");

    let uuid = "{\"parameters\":{\"x\":{\"$type\":\"UUID\",\"_value\":\"1-2-3-4-5\"}}}";
    assert!(typed(uuid, TypedVersion::V1_2).is_ok());
    assert_eq!(typed(uuid, TypedVersion::V1_1), Err(BodyError::UnsupportedType("Type UUID is not supported.".into())));
    let node = "{\"txMetadata\":{\"x\":{\"$type\":\"Node\"}}}";
    let metadata = parse(node.as_bytes(), Some(TypedVersion::V1_2), BodyKind::Opening, &LIMITS);
    assert_eq!(metadata, Err(BodyError::UnsupportedType("Type Node is not supported.".into())));
    let bare = parse(b"{\"txMetadata\":{\"x\":1}}", Some(TypedVersion::V1_2), BodyKind::Opening, &LIMITS);
    assert!(message(bare).starts_with("txMetadata.x: a bare value"));
    for value in ["123", "\"\"", "\"x\"", "[]", "true"] {
        let text = message(opening(&format!("{{\"parameters\":{value}}}")));
        assert!(text.starts_with("parameters must be an object or null, not "), "{text}");
    }
}

#[test]
fn unknown_fields_are_named_with_the_known_ones() {
    let text = message(opening("{\"Statement\":null}"));
    let known = "unknown field `Statement`; known fields: statement, parameters, includeCounters, accessMode, maxExecutionTime, \
                 bookmarks, impersonatedUser, txType, txMetadata, notificationsFilter";
    let arrow = if cfg!(feature = "arrow") { ", arrow" } else { "" };
    assert_eq!(text, format!("{known}{arrow}"));
    let inside = |text: &str| message(parse(text.as_bytes(), None, BodyKind::Inside, &LIMITS));
    let known = format!("unknown field `foo`; known fields: statement, parameters, includeCounters{arrow}");
    assert_eq!(inside("{\"foo\":1}"), known);
    let opening_only = |kinds: &[BodyKind]| kinds.contains(&BodyKind::Opening) && !kinds.contains(&BodyKind::Inside);
    for member in MEMBERS.iter().filter(|(.., kinds)| opening_only(kinds)) {
        assert_eq!(
            inside(&format!("{{\"{}\":null}}", member.0)),
            format!(
                "`{}` can only be set when a transaction is opened; known fields inside one: statement, parameters, \
                 includeCounters{arrow}",
                member.0
            )
        );
    }
    for elsewhere in ["statements", "retry", "rowsAs"] {
        let message = inside(&format!("{{\"{elsewhere}\":null}}"));
        assert!(message.starts_with(&format!("unknown field `{elsewhere}`")), "{message}");
    }
    let known = "{\"includeCounters\":true,\"parameters\":{},\"statement\":\"RETURN 1\"}";
    assert!(parse(known.as_bytes(), None, BodyKind::Inside, &LIMITS).is_ok());
}

#[test]
fn scalars_may_stand_for_strings() {
    for (value, statement) in [("1", "1"), ("1.50", "1.50"), ("true", "true"), ("\"\\u0041\"", "A")] {
        let body = opening(&format!("{{\"statement\":{value}}}")).unwrap();
        assert_eq!(body.statement.as_deref(), Some(statement));
    }
    for value in ["[1]", "{}"] {
        assert!(
            message(opening(&format!("{{\"statement\":{value}}}")))
                .starts_with("statement must be a string or null, not an ")
        );
    }
    for (value, user) in [("\" bob \"", Some("bob")), ("\" \"", None), ("\"\"", None), ("null", None), ("1", Some("1"))]
    {
        let body = with(&format!("\"impersonatedUser\":{value}")).unwrap();
        assert_eq!(body.impersonated_user.as_deref(), user, "{value}");
    }
    for (value, implicit) in
        [("\"IMPLICIT\"", true), ("\"implicit\"", false), ("\" IMPLICIT\"", false), ("1", false), ("null", false)]
    {
        assert_eq!(with(&format!("\"txType\":{value}")).unwrap().implicit, implicit, "{value}");
    }
    assert!(with("\"txType\":[]").is_err());
}

#[test]
fn booleans() {
    for (value, expected) in [
        ("true", true),
        ("\"true\"", true),
        ("\"True\"", true),
        ("\"TRUE\"", true),
        ("\" true \"", true),
        ("1", true),
        ("2", true),
        ("-1", true),
        ("99999999999999999999", true),
        ("false", false),
        ("\"FALSE\"", false),
        ("0", false),
        ("-0", false),
        ("\"\"", false),
        ("\"  \"", false),
        ("null", false),
        ("\"null\"", false),
    ] {
        assert_eq!(with(&format!("\"includeCounters\":{value}")).unwrap().include_counters, expected, "{value}");
    }
    for value in ["\"tRUE\"", "\"yes\"", "\"1\"", "1.0", "1e0", "[]", "[true]", "{}"] {
        let text = message(with(&format!("\"includeCounters\":{value}")));
        assert!(text.starts_with("includeCounters must be true or false, not "), "{text}");
    }
}

#[test]
fn access_modes() {
    for (value, expected) in [
        ("\"READ\"", AccessMode::Read),
        ("\"read\"", AccessMode::Read),
        ("\"Read\"", AccessMode::Read),
        ("\" rEaD \"", AccessMode::Read),
        ("1", AccessMode::Read),
        ("\"1\"", AccessMode::Read),
        ("\"WRITE\"", AccessMode::Write),
        ("\"write\"", AccessMode::Write),
        ("0", AccessMode::Write),
        ("null", AccessMode::Write),
    ] {
        assert_eq!(with(&format!("\"accessMode\":{value}")).unwrap().access_mode, expected, "{value}");
    }
    for value in ["\"bananas\"", "\"\"", "\"  \"", "2", "1.0", "true", "[]", "{}"] {
        let text = message(with(&format!("\"accessMode\":{value}")));
        assert!(text.starts_with("accessMode must be \"READ\" or \"WRITE\", not "), "{text}");
    }
}

#[test]
fn execution_times() {
    for (value, seconds) in
        [("1", 1), ("\"1\"", 1), ("\" 10 \"", 10), ("\"+5\"", 5), ("1e1", 10), ("2147483647", 2_147_483_647)]
    {
        let body = with(&format!("\"maxExecutionTime\":{value}")).unwrap();
        assert_eq!(body.max_execution_time, Some(Duration::from_secs(seconds)), "{value}");
    }
    for (value, milliseconds) in [("1.9", 1900), ("0.5", 500), ("0.0001", 1), ("1e-300", 1), ("2.0005", 2001)] {
        let body = with(&format!("\"maxExecutionTime\":{value}")).unwrap();
        assert_eq!(body.max_execution_time, Some(Duration::from_millis(milliseconds)), "{value}");
    }
    for value in ["0", "0.0", "null", "-1", "\"\"", "\"null\"", "-2147483648", "-0.5"] {
        assert_eq!(with(&format!("\"maxExecutionTime\":{value}")).unwrap().max_execution_time, None, "{value}");
    }
    for value in [
        "2147483648",
        "2147483647.9",
        "1e10",
        "1e400",
        "-2147483649",
        "99999999999999999999",
        "\"2147483648\"",
        "\"1.5\"",
        "\"x\"",
        "true",
        "[]",
        "{}",
    ] {
        let text = message(with(&format!("\"maxExecutionTime\":{value}")));
        assert!(text.starts_with("maxExecutionTime must be a number of seconds up to 2147483647, not "), "{text}");
    }
}

#[test]
fn bookmarks_are_strings_that_are_not_blank() {
    for value in ["null", "[]"] {
        assert_eq!(with(&format!("\"bookmarks\":{value}")).unwrap().bookmarks, Vec::<String>::new());
    }
    for (value, expected) in [
        ("\"x\"", "bookmarks must be an array of strings or null, not the string \"x\""),
        ("true", "bookmarks must be an array of strings or null, not true"),
        ("{}", "bookmarks must be an array of strings or null, not an object"),
        ("[null]", "bookmarks[0] must be a bookmark from an earlier answer, not null"),
        ("[\"FB:\",\"\"]", "bookmarks[1] must be a bookmark from an earlier answer, not the string \"\""),
        ("[\"  \"]", "bookmarks[0] must be a bookmark from an earlier answer, not the string \"  \""),
        ("[1]", "bookmarks[0] must be a bookmark from an earlier answer, not the number 1"),
        ("[[]]", "bookmarks[0] must be a bookmark from an earlier answer, not an array"),
    ] {
        let text = message(with(&format!("\"bookmarks\":{value}")));
        assert_eq!(text, expected);
    }
}

#[test]
fn notification_filters() {
    for value in
        ["null", "{}", "{\"minimumSeverityLevel\":null,\"disabledCategories\":null}", "{\"disabledCategories\":[]}"]
    {
        let body = with(&format!("\"notificationsFilter\":{value}")).unwrap();
        assert_eq!(body.notifications, NotificationFilter::default(), "{value}");
    }
    for (value, expected) in [
        ("[]", "notificationsFilter must be an object or null, not an array"),
        ("\"\"", "notificationsFilter must be an object or null, not the string \"\""),
        (
            "{\"minimumSeverityLevel\":\"off\"}",
            "notificationsFilter.minimumSeverityLevel must be one of OFF, WARNING, INFORMATION, not the string \"off\"",
        ),
        (
            "{\"disabledCategories\":[\"HINT\",null]}",
            "notificationsFilter.disabledCategories[1] must be one of HINT, UNRECOGNIZED, UNSUPPORTED, PERFORMANCE, \
             DEPRECATION, SECURITY, TOPOLOGY, GENERIC, SCHEMA, not null",
        ),
        (
            "{\"disabledCategories\":\"HINT\"}",
            "notificationsFilter.disabledCategories must be an array of strings or null, not the string \"HINT\"",
        ),
        (
            "{\"minimumSeverity\":\"OFF\"}",
            "notificationsFilter: unknown field `minimumSeverity`; known fields: minimumSeverityLevel, disabledCategories",
        ),
    ] {
        assert_eq!(message(with(&format!("\"notificationsFilter\":{value}"))), expected);
    }
}

#[test]
fn metadata_is_absent_or_a_map() {
    assert_eq!(with("\"txMetadata\":null").unwrap().tx_metadata, None);
    assert_eq!(with("\"txMetadata\":{}").unwrap().tx_metadata, Some(vec![0xA0]));
    for value in ["[]", "\"\"", "1"] {
        assert!(
            message(with(&format!("\"txMetadata\":{value}"))).starts_with("txMetadata must be an object or null, not ")
        );
    }
}

#[test]
fn limits_are_named() {
    let of = |length: usize| opening(&format!("{{\"statement\":\"{}\"}}", "é".repeat(length)));
    assert!(of(50).is_ok());
    let error = of(51).unwrap_err();
    assert_eq!(error, BodyError::StatementTooLong { length: 102, limit: 100 });
    assert!(error.to_string().contains("limits.statement"));

    let nested = |depth: usize| format!("{{\"parameters\":{{\"x\":{}{}}}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(opening(&nested(48)).is_ok());
    assert!(message(opening(&nested(49))).ends_with("nested deeper than 50 levels (limits.depth)"));
}

#[test]
fn bodies_of_real_clients() {
    let typed = |text: &str, kind| parse(text.as_bytes(), Some(TypedVersion::V1_0), kind, &LIMITS);
    let body = typed(
        "{\"statement\":\"RETURN $x AS a\",\"includeCounters\":true,\"parameters\":{\"x\":{\"$type\":\"Integer\",\
         \"_value\":9223372036854775807},\"y\":{\"$type\":\"Float\",\"_value\":0.1},\"z\":{\"$type\":\"List\",\"_value\":[\
         {\"$type\":\"Null\",\"_value\":null},{\"$type\":\"Boolean\",\"_value\":true},{\"$type\":\"Base64\",\"_value\":\
         \"YWI=\"},{\"$type\":\"Map\",\"_value\":{\"k\":{\"$type\":\"String\",\"_value\":\"v\"}}}]}}}",
        BodyKind::Inside,
    )
    .unwrap();
    let expected = [
        &b"\xA3\x81x\xCB\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81y\xC1"[..],
        &0.1_f64.to_be_bytes(),
        b"\x81z\x94\xC0\xC3\xCC\x02ab\xA1\x81k\x81v",
    ]
    .concat();
    assert_eq!(body.parameters, expected);
    let begin = typed("{\"txType\":\"IMPLICIT\",\"bookmarks\":[\"FB:x\"],\"accessMode\":\"WRITE\"}", BodyKind::Opening)
        .unwrap();
    assert!(begin.implicit && begin.bookmarks == ["FB:x"] && begin.statement.is_none());
}

#[test]
fn other_encodings_are_read() {
    let text = "{\"statement\":\"RETURN 'é😀'\"}";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(parse(&bytes, None, BodyKind::Opening, &LIMITS), opening(text));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        for kind in [BodyKind::Query, BodyKind::Batch, BodyKind::Load, BodyKind::Opening, BodyKind::Inside] {
            let _ = parse(&bytes, None, kind, &LIMITS);
        }
        let _ = parse_row(&bytes, Some(TypedVersion::V1_2), &LIMITS);
    }

    #[test]
    fn no_members_make_it_panic(
        name in "statements?|parameters|includeCounters|accessMode|maxExecutionTime|bookmarks|txMetadata|\
                 notificationsFilter|retry|transactionSize|rowsAs",
        value in r#"(\[|\]|\{|\}|,|:|"x"|"READ"|null|true|-?[0-9]{1,12}(\.[0-9])?(e[0-9]{1,3})?){0,10}"#,
    ) {
        let body = format!(r#"{{"statement":"x","{name}":{value}}}"#);
        for kind in [BodyKind::Query, BodyKind::Batch, BodyKind::Load] {
            let _ = parse(body.as_bytes(), None, kind, &LIMITS);
        }
        let _ = parse(format!(r#"{{"statements":[{{"{name}":{value}}}]}}"#).as_bytes(), None, BodyKind::Batch, &LIMITS);
    }
}

#[test]
fn rows_of_a_load_are_objects() {
    let row = |line: &str| parse_row(line.as_bytes(), None, &LIMITS).map_err(|error| error.to_string());
    assert_eq!(row(" {\"x\":1}\r"), Ok(b"\xA1\x81x\x01".to_vec()));
    for (line, named) in [
        ("1", "the line must be an object, not the number 1"),
        ("null", "the line must be an object, not null"),
        ("{\"x\":1} {}", "text follows the object"),
        ("{\"x\":", "column"),
    ] {
        let message = row(line).unwrap_err();
        assert!(message.contains(named), "{message}");
    }
}
