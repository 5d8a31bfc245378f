//! Owns the file modes of Unix sockets.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// Who may connect to a Unix socket: an octal file mode from `0000` to `0777`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketMode(u32);

impl SocketMode {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(mode: u32) -> Self {
        Self(mode)
    }

    /// The mode as a number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for SocketMode {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        match u32::from_str_radix(text, 8) {
            Ok(mode) if is_octal && mode <= 0o777 => Ok(Self(mode)),
            _ => Err(ParseValueError(format!("`{text}` is not a file mode; write it in octal, such as \"0660\""))),
        }
    }
}

impl fmt::Display for SocketMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

serde_as_text!(SocketMode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal() {
        for (text, mode, printed) in [("0660", 0o660, "0660"), ("600", 0o600, "0600"), ("0777", 0o777, "0777")] {
            let parsed: SocketMode = text.parse().expect(text);
            assert_eq!((parsed.get(), parsed.to_string().as_str()), (mode, printed));
        }
        for text in ["", "66", "0o660", "0888", "1777", "+660", "rw-rw----"] {
            let refusal = text.parse::<SocketMode>().expect_err(text).to_string();
            assert!(refusal.contains("is not a file mode"), "{refusal}");
        }
    }
}
