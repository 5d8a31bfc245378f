//! The members of the request object, each with the values that it accepts in place of its proper type.

use std::borrow::Cow;
use std::time::Duration;

use super::{BodyError, BodyLimits, EMPTY_MAP, Member, QueryBody, malformed};
use crate::json::TypedVersion;
use crate::json::input::{Lexer, Token, plain, typed};
use crate::query::{AccessMode, Category, NotificationFilter, Severity};
use crate::value_path::shortened;

/// The largest number of rows of a bulk load in one transaction. Databases hold all of it in memory until it is
/// committed.
const MOST_ROWS: usize = 1_000_000;

/// The largest number of bookmarks in one request, which has a few for each transaction that it has to see.
const MOST_BOOKMARKS: usize = 10_000;

/// Reads the members of one request object.
pub(super) struct Reader<'t, 'l> {
    pub(super) lexer: Lexer<'t>,
    pub(super) typed: Option<TypedVersion>,
    pub(super) limits: &'l BodyLimits,
}

impl<'t> Reader<'t, '_> {
    pub(super) fn read(&mut self, member: Member, body: &mut QueryBody) -> Result<(), BodyError> {
        match member {
            Member::Statement => body.statement = self.statement()?,
            Member::Statements => body.statements = self.statements()?,
            Member::Retry => body.retry = self.retry()?,
            Member::TransactionSize => body.transaction_size = self.transaction_size()?,
            Member::RowsAs => body.rows_as = self.text("rowsAs")?.and_then(|name| non_empty(&name)),
            Member::Parameters => {
                // Of several members with this name, the last one counts.
                body.parameters.clear();
                if !self.map_into("parameters", &mut body.parameters)? {
                    body.parameters.extend_from_slice(&EMPTY_MAP);
                }
            }
            Member::IncludeCounters => body.include_counters = self.boolean("includeCounters")?,
            Member::AccessMode => body.access_mode = self.access_mode()?,
            Member::MaxExecutionTime => body.max_execution_time = self.seconds()?,
            Member::Bookmarks => body.bookmarks = self.bookmarks()?,
            Member::ImpersonatedUser => {
                let user = self.text("impersonatedUser")?.unwrap_or_default();
                body.impersonated_user = non_empty(user.trim());
            }
            Member::TxType => body.implicit = self.text("txType")?.as_deref() == Some("IMPLICIT"),
            Member::TxMetadata => {
                let mut metadata = body.tx_metadata.take().unwrap_or_default();
                metadata.clear();
                body.tx_metadata = self.map_into("txMetadata", &mut metadata)?.then_some(metadata);
            }
            Member::NotificationsFilter => body.notifications = self.notifications()?,
            // A mistake in it matters only to a request for such a stream.
            #[cfg(feature = "arrow")]
            Member::Arrow => {
                let lexer = self.skipped()?;
                body.arrow = Some(Box::new(Reader { lexer, ..*self }.declared()));
            }
            #[cfg(not(feature = "arrow"))]
            Member::Arrow => drop(self.skipped()?),
        }
        Ok(())
    }

    /// Skips a value, and returns a lexer that is at its start.
    fn skipped(&mut self) -> Result<Lexer<'t>, BodyError> {
        let (mut depth, mut start) = (0_usize, None);
        loop {
            let token = self.lexer.token()?;
            start.get_or_insert(self.lexer.offset());
            match token {
                Token::ObjectStart | Token::ArrayStart => depth += 1,
                Token::ObjectEnd | Token::ArrayEnd => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(self.lexer.fork_at(start.unwrap_or_default()));
            }
        }
    }

    pub(super) fn statement(&mut self) -> Result<Option<String>, BodyError> {
        let statement = self.text("statement")?.unwrap_or_default();
        let (length, limit) = (statement.len(), self.limits.statement);
        if length > limit {
            return Err(BodyError::StatementTooLong { length, limit });
        }
        Ok(Some(statement.into_owned()).filter(|statement| !statement.is_empty()))
    }

    /// Appends an object of values to `out` as a PackStream map. Returns `false` for `null`.
    pub(super) fn map_into(&mut self, name: &'static str, out: &mut Vec<u8>) -> Result<bool, BodyError> {
        match self.lexer.token()? {
            Token::Null => return Ok(false),
            Token::ObjectStart => {}
            other => return Err(wrong(name, &other, "an object or null")),
        }
        self.open_map_into(name, out)?;
        Ok(true)
    }

    /// Appends a row of a bulk load to `out`, an object of values, as a PackStream map.
    pub(super) fn row_into(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        match self.lexer.token()? {
            Token::ObjectStart => self.open_map_into("row", out),
            other => Err(wrong("the line", &other, "an object")),
        }
    }

    /// Appends the rest of an object whose opening brace was read.
    pub(super) fn open_map_into(&mut self, name: &'static str, out: &mut Vec<u8>) -> Result<(), BodyError> {
        match self.typed {
            Some(version) => typed::read_map(&mut self.lexer, version, name, out)?,
            None => plain::read_map(&mut self.lexer, name, out)?,
        }
        Ok(())
    }

    /// Reads a string. A number or boolean is taken as the text that it is written in.
    fn text(&mut self, name: &str) -> Result<Option<Cow<'t, str>>, BodyError> {
        Ok(match self.lexer.token()? {
            Token::Null => None,
            Token::String(text) => Some(text),
            Token::Number(text) => Some(text.into()),
            Token::Boolean(value) => Some(value.to_string().into()),
            other => return Err(wrong(name, &other, "a string or null")),
        })
    }

    fn boolean(&mut self, name: &str) -> Result<bool, BodyError> {
        let token = self.lexer.token()?;
        let value = match &token {
            Token::Null => Some(false),
            Token::Boolean(value) => Some(*value),
            Token::Number(text) => is_whole(text).then(|| !is_zero(text)),
            Token::String(text) => match text.trim() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" | "null" | "" => Some(false),
                _ => None,
            },
            _ => None,
        };
        value.ok_or_else(|| wrong(name, &token, "true or false"))
    }

    /// Reads an access mode by its name in any case, or by its number.
    fn access_mode(&mut self) -> Result<AccessMode, BodyError> {
        let token = self.lexer.token()?;
        let name = match &token {
            Token::Null => return Ok(AccessMode::default()),
            Token::String(text) => text.trim(),
            Token::Number(text) => text,
            _ => "",
        };
        match name.to_ascii_uppercase().as_str() {
            "READ" | "1" => Ok(AccessMode::Read),
            "WRITE" | "0" => Ok(AccessMode::Write),
            _ => Err(wrong("accessMode", &token, "\"READ\" or \"WRITE\"")),
        }
    }

    /// Reads a number of seconds that fits 32 bits, with decimals. Zero or less means that the request sets no limit.
    fn seconds(&mut self) -> Result<Option<Duration>, BodyError> {
        let token = self.lexer.token()?;
        let seconds = match &token {
            Token::Null => Some(Duration::ZERO),
            Token::Number(text) => seconds(text),
            Token::String(text) => match text.trim() {
                "" | "null" => Some(Duration::ZERO),
                text if is_whole(text) => seconds(text),
                _ => None,
            },
            _ => None,
        };
        let seconds =
            seconds.ok_or_else(|| wrong("maxExecutionTime", &token, "a number of seconds up to 2147483647"))?;
        Ok(Some(seconds).filter(|seconds| !seconds.is_zero()))
    }

    /// Reads the number of rows in one transaction.
    fn transaction_size(&mut self) -> Result<Option<usize>, BodyError> {
        let token = self.lexer.token()?;
        let size = match &token {
            Token::Null => return Ok(None),
            Token::Number(text) => text.parse().ok().filter(|size| (1..=MOST_ROWS).contains(size)),
            _ => None,
        };
        size.map(Some).ok_or_else(|| wrong("transactionSize", &token, &format!("a whole number from 1 to {MOST_ROWS}")))
    }

    fn bookmarks(&mut self) -> Result<Vec<String>, BodyError> {
        match self.lexer.token()? {
            Token::Null => return Ok(Vec::new()),
            Token::ArrayStart => {}
            other => return Err(wrong("bookmarks", &other, "an array of strings or null")),
        }
        let mut bookmarks = Vec::new();
        loop {
            match self.lexer.token()? {
                Token::ArrayEnd => return Ok(bookmarks),
                Token::String(_) if bookmarks.len() == MOST_BOOKMARKS => {
                    return Err(malformed(format!(
                        "bookmarks must not hold more than {MOST_BOOKMARKS} strings; send only the latest ones"
                    )));
                }
                Token::String(text) if !text.trim().is_empty() => bookmarks.push(text.into_owned()),
                other => {
                    let place = format!("bookmarks[{}]", bookmarks.len());
                    return Err(wrong(&place, &other, "a bookmark from an earlier answer"));
                }
            }
        }
    }

    fn notifications(&mut self) -> Result<NotificationFilter, BodyError> {
        let mut filter = NotificationFilter::default();
        match self.lexer.token()? {
            Token::Null => return Ok(filter),
            Token::ObjectStart => {}
            other => return Err(wrong("notificationsFilter", &other, "an object or null")),
        }
        while let Token::Key(key) = self.lexer.token()? {
            match key.as_ref() {
                "minimumSeverityLevel" => filter.minimum_severity = self.severity()?,
                "disabledCategories" => filter.disabled = self.categories()?,
                _ => {
                    let key = shortened(&key, 60);
                    return Err(malformed(format!(
                        "notificationsFilter: unknown field `{key}`; known fields: minimumSeverityLevel, \
                         disabledCategories"
                    )));
                }
            }
        }
        Ok(filter)
    }

    fn severity(&mut self) -> Result<Option<Severity>, BodyError> {
        let token = self.lexer.token()?;
        let severity = match &token {
            Token::Null => return Ok(None),
            Token::String(name) => Severity::from_bolt(name),
            _ => None,
        };
        severity.map(Some).ok_or_else(|| {
            let names = Severity::ALL.map(Severity::as_bolt).join(", ");
            wrong("notificationsFilter.minimumSeverityLevel", &token, &format!("one of {names}"))
        })
    }

    fn categories(&mut self) -> Result<Vec<Category>, BodyError> {
        let name = "notificationsFilter.disabledCategories";
        match self.lexer.token()? {
            Token::Null => return Ok(Vec::new()),
            Token::ArrayStart => {}
            other => return Err(wrong(name, &other, "an array of strings or null")),
        }
        let mut categories = Vec::new();
        for index in 0_usize.. {
            let token = self.lexer.token()?;
            let category = match &token {
                Token::ArrayEnd => break,
                Token::String(name) => Category::from_bolt(name),
                _ => None,
            };
            let category = category.ok_or_else(|| {
                let names = Category::ALL.map(Category::as_bolt).join(", ");
                wrong(&format!("{name}[{index}]"), &token, &format!("one of {names}"))
            })?;
            if !categories.contains(&category) {
                categories.push(category);
            }
        }
        Ok(categories)
    }
}

fn is_whole(number: &str) -> bool {
    !number.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

fn is_zero(number: &str) -> bool {
    matches!(number, "0" | "-0")
}

/// The duration of a number of seconds, rounded up to whole milliseconds, in which databases count: no positive limit
/// may become zero. Negative numbers are zero.
fn seconds(number: &str) -> Option<Duration> {
    if is_whole(number) {
        let seconds: i32 = number.parse().ok()?;
        return Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    }
    let value: f64 = number.parse().ok()?;
    let within = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
    within.then(|| Duration::from_secs_f64((value.max(0.0) * 1000.0).ceil() / 1000.0))
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The error for a value that is not what it must be.
pub(super) fn wrong(name: &str, found: &Token<'_>, expected: &str) -> BodyError {
    malformed(format!("{name} must be {expected}, not {}", described(found)))
}

fn described(token: &Token<'_>) -> Cow<'static, str> {
    match token {
        Token::ObjectStart | Token::ObjectEnd => "an object".into(),
        Token::ArrayStart | Token::ArrayEnd => "an array".into(),
        Token::Key(text) | Token::String(text) => format!("the string \"{}\"", shortened(text, 40)).into(),
        Token::Number(text) => format!("the number {}", shortened(text, 40)).into(),
        Token::Boolean(value) => value.to_string().into(),
        Token::Null => "null".into(),
    }
}
