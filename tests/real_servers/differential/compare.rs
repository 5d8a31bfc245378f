//! The verdict on one pair of answers: owns the rules for the listed deviations.
//!
//! Promises that each rule is as narrow as its reason in `deviations.json`, and reports which were
//! needed, so that one that no longer applies is noticed.

use std::{borrow::Cow, collections::BTreeSet};

use super::normalise::{Answer, Content};
use crate::support::json::Json;

/// Differences that are meant; `deviations.json` has the reasons under the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deviation {
    Float32Digits,
    UnknownError,
    RefusalDetail,
    CredentialsSyntax,
    Allow,
    AjaxChallenge,
    ContentEncoding,
    CarriedOut,
    Realm,
}

impl Deviation {
    pub const ALL: [Self; 9] = [
        Self::Float32Digits,
        Self::UnknownError,
        Self::RefusalDetail,
        Self::CredentialsSyntax,
        Self::Allow,
        Self::AjaxChallenge,
        Self::ContentEncoding,
        Self::CarriedOut,
        Self::Realm,
    ];

    /// The name in case files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32Digits => "float32-digits",
            Self::UnknownError => "unknown-error",
            Self::RefusalDetail => "refusal-detail",
            Self::CredentialsSyntax => "credentials-syntax",
            Self::Allow => "allow",
            Self::AjaxChallenge => "ajax-challenge",
            Self::ContentEncoding => "content-encoding",
            Self::CarriedOut => "carried-out",
            Self::Realm => "realm",
        }
    }

    /// The deviation of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deviation| deviation.name() == name)
    }

    /// True for what any case may need: it does not have to be named.
    pub fn is_general(self) -> bool {
        matches!(self, Self::RefusalDetail | Self::Realm)
    }
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Where and how the answers differ; `None` when they are equal but for allowed deviations.
    pub difference: Option<String>,
    /// The allowed deviations that were needed.
    pub used: BTreeSet<Deviation>,
}

/// Compares the reference's answer with ours.
pub fn compare(theirs: &Answer, ours: &Answer, allowed: &BTreeSet<Deviation>) -> Verdict {
    let whole_answer = [
        (Deviation::UnknownError, is_clear_refusal_of_nonsense(theirs, ours)),
        (Deviation::CredentialsSyntax, is_refusal_of_credentials(theirs, ours)),
        (Deviation::ContentEncoding, is_of_unpacked_body(theirs, ours)),
    ];
    for (deviation, applies) in whole_answer {
        if applies && allowed.contains(&deviation) {
            return Verdict { difference: None, used: [deviation].into() };
        }
    }
    let mut walk = Walk { allowed, used: BTreeSet::new() };
    let difference = walk.answers(theirs, ours).err();
    Verdict { difference, used: walk.used }
}

/// Theirs: 500 "unknown error". Ours: 4xx and one client error in the same envelope.
fn is_clear_refusal_of_nonsense(theirs: &Answer, ours: &Answer) -> bool {
    theirs.status == 500
        && the_error(theirs).is_some_and(|(code, _)| code == "Neo.DatabaseError.General.UnknownError")
        && (400..500).contains(&ours.status)
        && ours.content_type == theirs.content_type
        && the_error(ours).is_some_and(|(code, _)| code.starts_with("Neo.ClientError."))
}

/// Ours: the answer that a server with authentication gives to a malformed header.
fn is_refusal_of_credentials(theirs: &Answer, ours: &Answer) -> bool {
    theirs.status == 202
        && ours.status == 400
        && ours.content_type.as_deref() == Some("application/json;charset=utf-8")
        && the_error(ours).is_some_and(|(code, message)| {
            code == "Neo.ClientError.Request.InvalidFormat" && message == "Invalid authentication header."
        })
}

/// Theirs: the body makes no sense. Ours: it was unpacked, and the statement has succeeded.
fn is_of_unpacked_body(theirs: &Answer, ours: &Answer) -> bool {
    const CODE: &str = "Neo.ClientError.Request.Invalid";
    theirs.status == 400
        && the_error(theirs) == Some((CODE, "Bad Request"))
        && ours.status == 202
        && ours.content_type == theirs.content_type
        && matches!(&ours.body, Content::Document(body) if body.get("data").is_some() && body.get("errors").is_none())
}

/// Code and message of an answer that is exactly one error envelope, as a document or as an event.
fn the_error(answer: &Answer) -> Option<(&str, &str)> {
    let errors = match &answer.body {
        Content::Document(document @ Json::Object(members)) if members.len() == 1 => document.get("errors")?,
        Content::Lines(events) if events.len() == 1 => {
            let event = events.first()?;
            event.get("$event").and_then(Json::as_str).filter(|kind| *kind == "Error")?;
            event.get("_body")?
        }
        _ => return None,
    };
    match errors.items() {
        [error] if error.members().len() == 2 => Some((error.get("code")?.as_str()?, error.get("message")?.as_str()?)),
        _ => None,
    }
}

struct Walk<'a> {
    allowed: &'a BTreeSet<Deviation>,
    used: BTreeSet<Deviation>,
}

impl Walk<'_> {
    fn answers(&mut self, theirs: &Answer, ours: &Answer) -> Result<(), String> {
        equal("the status", &theirs.status, &ours.status)?;
        equal("the Content-Type", &theirs.content_type, &ours.content_type)?;
        for (header, other) in theirs.headers.iter().zip(&ours.headers) {
            match header_deviation(theirs.status, header, other) {
                Some(deviation) if self.allows(deviation) => {
                    self.used.insert(deviation);
                }
                _ => equal("the header", header, other)?,
            }
        }
        match (&theirs.body, &ours.body) {
            (Content::Document(theirs), Content::Document(ours)) => self.json("", theirs, ours),
            (Content::Lines(theirs), Content::Lines(ours)) => self.items("", theirs, ours),
            (theirs, ours) => equal("the body", theirs, ours),
        }
    }

    fn json(&mut self, path: &str, theirs: &Json, ours: &Json) -> Result<(), String> {
        match (theirs, ours) {
            (Json::Object(left), Json::Object(right)) => {
                let [left, right] = [left, right].map(|members| members_in_order(path, members));
                let keys = |members: &[(String, Json)]| -> Vec<String> {
                    members.iter().map(|(key, _)| key.clone()).collect()
                };
                equal(&format!("the keys of {path:?}"), &keys(&left), &keys(&right))?;
                let mut pairs = left.iter().zip(right.iter());
                pairs.try_for_each(|((key, left), (_, right))| self.json(&format!("{path}.{key}"), left, right))
            }
            (Json::Array(left), Json::Array(right)) => self.items(path, left, right),
            _ if theirs == ours => Ok(()),
            _ => match self.deviation_at(path, theirs, ours) {
                Some(deviation) => {
                    self.used.insert(deviation);
                    Ok(())
                }
                None => Err(format!("{path:?}: theirs {theirs}, ours {ours}")),
            },
        }
    }

    fn items(&mut self, path: &str, theirs: &[Json], ours: &[Json]) -> Result<(), String> {
        for (index, (left, right)) in theirs.iter().zip(ours).enumerate() {
            self.json(&format!("{path}[{index}]"), left, right)?;
        }
        equal(&format!("the number of items in {path:?}"), &theirs.len(), &ours.len())
    }

    fn deviation_at(&self, path: &str, theirs: &Json, ours: &Json) -> Option<Deviation> {
        let deviation = match (theirs, ours) {
            (Json::Number(theirs), Json::Number(ours)) if is_float32_of(theirs, ours) => Deviation::Float32Digits,
            (Json::String(theirs), Json::String(ours)) if path.ends_with("].message") && is_detail_of(theirs, ours) => {
                Deviation::RefusalDetail
            }
            (Json::String(theirs), Json::String(ours)) if ours.strip_prefix(theirs.as_str()) == Some(CARRIED_OUT) => {
                Deviation::CarriedOut
            }
            _ => return None,
        };
        self.allows(deviation).then_some(deviation)
    }

    fn allows(&self, deviation: Deviation) -> bool {
        deviation.is_general() || self.allowed.contains(&deviation)
    }
}

/// What is said behind an error about rows of a statement that took effect.
const CARRIED_OUT: &str = " The statement was executed and committed nevertheless.";

/// Theirs is a bare phrase of HTTP; ours adds details.
fn is_detail_of(theirs: &str, ours: &str) -> bool {
    const WORDS: [&str; 5] =
        ["Bad Request", "Not Found", "Method Not Allowed", "Not Acceptable", "Unsupported Media Type"];
    WORDS.contains(&theirs) && ours.strip_prefix(theirs).is_some_and(|rest| rest.starts_with(": "))
}

/// The deviation that makes such a difference of a header.
fn header_deviation(
    status: u16,
    (name, theirs): &(String, Option<String>),
    (_, ours): &(String, Option<String>),
) -> Option<Deviation> {
    match (name.as_str(), status, theirs.as_deref(), ours.as_deref()) {
        ("Allow", 405, None, Some(_)) => Some(Deviation::Allow),
        ("WWW-Authenticate", 401, Some("None"), None) => Some(Deviation::AjaxChallenge),
        ("WWW-Authenticate", 401, Some(theirs), Some(ours)) => {
            (theirs.replace("realm=\"Neo4j\"", "realm=\"boltgate\"") == ours).then_some(Deviation::Realm)
        }
        _ => None,
    }
}

/// Ours is a double that a float32 holds exactly; theirs are the shorter digits of that float32.
fn is_float32_of(theirs: &str, ours: &str) -> bool {
    match (theirs.parse::<f32>(), ours.parse::<f64>()) {
        (Ok(short), Ok(double)) => f64::from(short).to_bits() == double.to_bits() && theirs.len() < ours.len(),
        _ => false,
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, theirs: &T, ours: &T) -> Result<(), String> {
    if theirs == ours { Ok(()) } else { Err(format!("{what}: theirs {theirs:?}, ours {ours:?}")) }
}

/// The members of an object, in an order that can be compared: theirs have another one in a `rest` result after each start of
/// Neo4j, since a map there is Java's `Map.of`.
fn members_in_order<'a>(path: &str, members: &'a [(String, Json)]) -> Cow<'a, [(String, Json)]> {
    if !path.contains(".rest[") {
        return Cow::Borrowed(members);
    }
    let mut sorted = members.to_vec();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    Cow::Owned(sorted)
}
