//! The member `retry`: how failed attempts are retried, in the terms of Bolt drivers.

use std::time::Duration;

use super::{BodyError, malformed, members::Reader, members::wrong};
use crate::json::input::Token;
use crate::query::Retry;
use crate::value_path::shortened;

/// What a request says about retries.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::http) enum RetryWish {
    /// The operator's settings apply.
    #[default]
    Default,
    /// There is one attempt only.
    Never,
    /// The operator's settings apply, except for these.
    Adjusted(Adjustments),
}

/// The parts of [`Retry`] that a request sets itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::http) struct Adjustments {
    max_time: Option<Duration>,
    initial_delay: Option<Duration>,
    multiplier: Option<f64>,
    jitter: Option<f64>,
}

impl RetryWish {
    /// The resulting policy, where the operator's is `settled`.
    pub(in crate::http) fn over(self, settled: Retry) -> Retry {
        match self {
            Self::Default => settled,
            Self::Never => Retry::NEVER,
            Self::Adjusted(adjustments) => Retry {
                max_time: adjustments.max_time.unwrap_or(settled.max_time),
                initial_delay: adjustments.initial_delay.unwrap_or(settled.initial_delay),
                multiplier: adjustments.multiplier.unwrap_or(settled.multiplier),
                jitter: adjustments.jitter.unwrap_or(settled.jitter),
            },
        }
    }
}

/// The longest duration, in seconds: no request lasts longer than an hour.
const LONGEST: f64 = 3600.0;
const NAMES: [&str; 4] =
    ["maxTransactionRetryTime", "initialRetryDelay", "retryDelayMultiplier", "retryDelayJitterFactor"];

impl Reader<'_, '_> {
    pub(super) fn retry(&mut self) -> Result<RetryWish, BodyError> {
        match self.lexer.token()? {
            Token::Null | Token::Boolean(true) => return Ok(RetryWish::Default),
            Token::Boolean(false) => return Ok(RetryWish::Never),
            Token::ObjectStart => {}
            other => return Err(wrong("retry", &other, "true, false, null or an object")),
        }
        let mut adjustments = Adjustments::default();
        while let Token::Key(key) = self.lexer.token()? {
            match key.as_ref() {
                "maxTransactionRetryTime" => adjustments.max_time = self.span(NAMES[0])?,
                "initialRetryDelay" => adjustments.initial_delay = self.span(NAMES[1])?,
                "retryDelayMultiplier" => adjustments.multiplier = self.number(NAMES[2], 1.0, 100.0)?,
                "retryDelayJitterFactor" => adjustments.jitter = self.number(NAMES[3], 0.0, 1.0)?,
                _ => {
                    let key = shortened(&key, 60);
                    return Err(malformed(format!("retry: unknown field `{key}`; known fields: {}", NAMES.join(", "))));
                }
            }
        }
        Ok(RetryWish::Adjusted(adjustments))
    }

    fn span(&mut self, name: &str) -> Result<Option<Duration>, BodyError> {
        Ok(self.number(name, 0.0, LONGEST)?.map(Duration::from_secs_f64))
    }

    fn number(&mut self, name: &str, least: f64, most: f64) -> Result<Option<f64>, BodyError> {
        let token = self.lexer.token()?;
        let number = match &token {
            Token::Null => return Ok(None),
            Token::Number(text) => text.parse().ok().filter(|number| (least..=most).contains(number)),
            _ => None,
        };
        number
            .map(Some)
            .ok_or_else(|| wrong(&format!("retry.{name}"), &token, &format!("a number from {least} to {most}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};

    fn wish(text: &str) -> Result<RetryWish, String> {
        let body = format!(r#"{{"retry":{text}}}"#);
        match parse(body.into(), None, BodyKind::Query, &BodyLimits::SAMPLE) {
            Ok(body) => Ok(body.retry),
            Err(error) => Err(error.to_string()),
        }
    }

    const SETTLED: Retry = Retry {
        max_time: Duration::from_secs(30),
        initial_delay: Duration::from_millis(50),
        multiplier: 2.0,
        jitter: 0.2,
    };

    #[test]
    fn members_that_are_absent_are_the_operators() {
        for default in ["null", "true", "{}", r#"{"initialRetryDelay":null}"#] {
            assert_eq!(wish(default).unwrap().over(SETTLED), SETTLED, "{default}");
        }
        assert_eq!(wish("false").unwrap().over(SETTLED), Retry::NEVER);
        let guide = wish(
            r#"{"maxTransactionRetryTime":180.0,"initialRetryDelay":0.2,"retryDelayMultiplier":1.1,"retryDelayJitterFactor":0.1}"#,
        );
        let expected = Retry {
            max_time: Duration::from_secs(180),
            initial_delay: Duration::from_millis(200),
            multiplier: 1.1,
            jitter: 0.1,
        };
        assert_eq!(guide.unwrap().over(SETTLED), expected);
    }

    #[test]
    fn wrong_values_are_named() {
        for (text, named) in [
            ("1", "retry must be true, false, null or an object, not the number 1"),
            ("[]", "retry must be true, false, null or an object, not an array"),
            (r#"{"x":1}"#, "retry: unknown field `x`"),
            (
                r#"{"maxTransactionRetryTime":-1}"#,
                "retry.maxTransactionRetryTime must be a number from 0 to 3600, not the number -1",
            ),
            (r#"{"maxTransactionRetryTime":1e99}"#, "retry.maxTransactionRetryTime"),
            (r#"{"retryDelayMultiplier":0.5}"#, "must be a number from 1 to 100, not the number 0.5"),
            (
                r#"{"retryDelayJitterFactor":"0.1"}"#,
                "retry.retryDelayJitterFactor must be a number from 0 to 1, not the string",
            ),
        ] {
            let message = wish(text).unwrap_err();
            assert!(message.contains(named), "{message}");
        }
    }
}
