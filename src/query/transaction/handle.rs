//! What callers see of explicit transactions: their settings, and the handles by which requests name them.

use std::time::{Duration, SystemTime};

use crate::config::InstanceName;

/// Limits on explicit transactions.
#[derive(Debug, Clone, Copy)]
pub struct TransactionSettings {
    /// Maximum number of transactions that are open at a time.
    pub max: usize,
    /// Maximum number of them that one caller may have open.
    pub share: usize,
    /// A transaction that no request has used for this long is rolled back.
    pub idle_timeout: Duration,
    /// A transaction this old is rolled back.
    pub max_lifetime: Duration,
    /// How long the database may take to end a statement or a transaction that it was told to end.
    pub grace: Duration,
}

/// An open transaction, as described to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The handle, in the style that was asked for.
    pub id: String,
    /// When the transaction is rolled back unless a request uses it before.
    pub expires: SystemTime,
}

/// What handles look like. A transaction is known only by a handle of its own style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HandleStyle {
    /// 32 hexadecimal digits, or `INSTANCE-` and 28 of them if the gateway is one of several.
    #[default]
    Opaque,
    /// A decimal number of nine digits, for clients that read it into 32 bits. If the gateway is one of several, the first
    /// two say which.
    Decimal,
}

/// How a request names an open transaction.
#[derive(Debug, Clone, Copy)]
pub struct TransactionHandle<'a> {
    /// The database, named as when the transaction was opened.
    pub database: &'a str,
    /// See [`Transaction::id`].
    pub id: &'a str,
    /// The style of the handle.
    pub style: HandleStyle,
    /// The impersonated user, if the request names one. It must be the one that the transaction was opened with.
    pub impersonated_user: Option<&'a str>,
}

impl<'a> TransactionHandle<'a> {
    /// Names the transaction `id` on `database`.
    #[must_use]
    pub fn new(database: &'a str, id: &'a str, impersonated_user: Option<&'a str>) -> Self {
        Self { database, id, style: HandleStyle::Opaque, impersonated_user }
    }

    /// The same name, of a transaction whose handle is decimal.
    #[must_use]
    pub fn decimal(self) -> Self {
        Self { style: HandleStyle::Decimal, ..self }
    }
}

/// The hexadecimal digits in a handle that begins with an instance: as many as make 112 random bits.
const DIGITS: usize = 28;

/// The smallest decimal handle, and how many there are.
const DECIMALS: (u128, u128) = (100_000_000, 900_000_000);

/// The first two digits of the handles of the instance with the number 0, or none; and the digits that follow them.
const FIRST_INSTANCE: u8 = 10;
const OF_INSTANCE: usize = 7;

/// A decimal handle of no transaction, for the answer to a request that failed to open one.
#[must_use]
pub fn unused_decimal_handle(instance: Option<&InstanceName>) -> String {
    decimal_handle(instance, getrandom::u64().unwrap_or_default().into())
}

/// Makes a decimal handle out of random bits. It is nine digits long and never begins with 0.
pub(super) fn decimal_handle(instance: Option<&InstanceName>, random: u128) -> String {
    let Some(instance) = instance else {
        let (first, count) = DECIMALS;
        return (first + random % count).to_string();
    };
    let digits = FIRST_INSTANCE + instance.number().unwrap_or_default();
    format!("{digits}{:0OF_INSTANCE$}", random % 10_u128.pow(7))
}

/// The instance that the decimal handle `id` names, provided that all are named like `instance`; `None` if the handle does
/// not look like one that an instance has made, or `instance` has no number.
#[must_use]
pub fn instance_of_decimal(id: &str, instance: &InstanceName) -> Option<InstanceName> {
    let (digits, rest) = id.split_at_checked(2)?;
    let looks_like_ours = rest.len() == OF_INSTANCE && id.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u8>().ok().filter(|_| looks_like_ours)?.checked_sub(FIRST_INSTANCE)?;
    instance.numbered(number)
}

/// Makes an opaque handle out of random bits. With an instance, it says who opened the transaction, and is at most 61 characters
/// long.
pub(super) fn new_handle(instance: Option<&InstanceName>, random: u128) -> String {
    match instance {
        None => format!("{random:032x}"),
        Some(instance) => format!("{instance}-{:0DIGITS$x}", random >> 16),
    }
}

/// The instance that the handle `id` names; `None` if it does not look like one that an instance has made.
#[must_use]
pub fn instance_of(id: &str) -> Option<InstanceName> {
    let (instance, digits) = id.rsplit_once('-')?;
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let looks_like_ours = digits.len() == DIGITS && digits.bytes().all(is_digit);
    looks_like_ours.then(|| instance.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_name_the_instance_that_made_them() {
        for name in ["a", "gw-1.eu", "a-b-c", "-", &"x".repeat(32)] {
            let instance: InstanceName = name.parse().unwrap();
            for random in [0, 1, u128::MAX] {
                let id = new_handle(Some(&instance), random);
                assert!(id.len() <= 64, "{id}");
                assert_eq!(instance_of(&id).as_ref(), Some(&instance), "{id}");
            }
        }
    }

    #[test]
    fn decimal_handles_fit_32_bits() {
        let instances = ["gw-0", "gw-89", "gw-a"].map(|name| Some(name.parse().unwrap()));
        for instance in [None].into_iter().chain(instances) {
            for random in [0, 1, 899_999_999, 900_000_000, u128::MAX] {
                let id = decimal_handle(instance.as_ref(), random);
                assert_eq!(id.len(), 9, "{id}");
                assert!(id.parse::<i32>().is_ok_and(|id| id >= 100_000_000), "{id}");
            }
        }
    }

    #[test]
    fn decimal_handles_name_the_instance_by_its_number() {
        let (first, last, nobody) = ("gw-0".parse().unwrap(), "gw-89".parse().unwrap(), "gw-a".parse().unwrap());
        for random in [0, 1, 9_999_999, 10_000_000, u128::MAX] {
            let of_last = decimal_handle(Some(&last), random);
            assert!(of_last.starts_with("99"), "{of_last}");
            assert_eq!(instance_of_decimal(&of_last, &first).as_ref(), Some(&last));
            assert_eq!(instance_of_decimal(&of_last, &nobody), None);
            let of_nobody = decimal_handle(Some(&nobody), random);
            assert!(of_nobody.starts_with("10"), "{of_nobody}");
        }
        for id in ["", "1", "10", "12345678", "1234567890", "099999999", "-12345678", "12345678x", "1\u{e9}234567"] {
            assert_eq!(instance_of_decimal(id, &first), None, "{id:?}");
        }
    }

    #[test]
    fn other_handles_name_nobody() {
        let digits = "0".repeat(DIGITS);
        for id in [
            "",
            "-",
            "abc",
            &new_handle(None, u128::MAX),
            &format!("-{digits}"),
            &format!("a-{digits}0"),
            &format!("a-{}", "F".repeat(DIGITS)),
            &format!("a-{}\u{e9}", "0".repeat(DIGITS - 2)),
            &format!("a\r\nx: y-{digits}"),
            &format!("a_b-{digits}"),
            &format!("{}-{digits}", "x".repeat(33)),
        ] {
            assert_eq!(instance_of(id), None, "{id:?}");
        }
    }
}
