//! Numbers in text, in the syntax of Java, which clients of Neo4j may use.
//!
//! Promises floats that are rounded correctly (once, to the requested width) and exact integers. Returns `None` for
//! everything that Java refuses.

use std::str::FromStr;

/// The zeros of the decimal digits outside ASCII that fit in one UTF-16 unit. The other nine digits follow each of
/// them.
const ZEROS: [u32; 36] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// Reads an integer: an optional sign, then decimal digits of any script.
pub(super) fn integer<T: FromStr>(text: &str) -> Option<T> {
    if text.is_ascii() {
        return text.parse().ok();
    }
    text.chars().map(ascii_digit).collect::<Option<String>>()?.parse().ok()
}

fn ascii_digit(character: char) -> Option<char> {
    if character.is_ascii() {
        return Some(character);
    }
    let point = u32::from(character);
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&point))?;
    char::from_digit(point - zero, 10)
}

/// Reads a 64-bit float.
pub(super) fn float64(text: &str) -> Option<f64> {
    match form(text)? {
        Form::NotANumber => Some(f64::NAN),
        Form::Infinity { negative } => Some(signed(f64::INFINITY, negative)),
        Form::Decimal(text) => text.parse().ok(),
        Form::Hexadecimal { negative, digits } => Some(signed(digits.round(53, -1074), negative)),
    }
}

/// Reads a 32-bit float.
pub(super) fn float32(text: &str) -> Option<f32> {
    match form(text)? {
        Form::NotANumber => Some(f32::NAN),
        Form::Decimal(text) => text.parse().ok(),
        Form::Infinity { negative } => Some(narrow(signed(f64::INFINITY, negative))),
        Form::Hexadecimal { negative, digits } => Some(narrow(signed(digits.round(24, -149), negative))),
    }
}

/// Narrows to 32 bits: exact, or infinite if the value is out of range.
#[expect(clippy::cast_possible_truncation, reason = "the value was rounded to 24 bits before")]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn signed(value: f64, negative: bool) -> f64 {
    if negative { -value } else { value }
}

enum Form<'a> {
    NotANumber,
    Infinity {
        negative: bool,
    },
    /// With the sign, without the type suffix.
    Decimal(&'a str),
    Hexadecimal {
        negative: bool,
        digits: Hexadecimal,
    },
}

fn form(text: &str) -> Option<Form<'_>> {
    let text = text.trim_matches(|character| character <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    match unsigned {
        "NaN" => return Some(Form::NotANumber),
        "Infinity" => return Some(Form::Infinity { negative }),
        _ => {}
    }
    let suffix = |text: &'_ str| text.strip_suffix(['f', 'F', 'd', 'D']).map_or(text.len(), str::len);
    let (text, unsigned) = (text.get(..suffix(text))?, unsigned.get(..suffix(unsigned))?);
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        return Some(Form::Hexadecimal { negative, digits: Hexadecimal::read(digits)? });
    }
    is_decimal(unsigned).then_some(Form::Decimal(text))
}

/// Whether `text` is decimal digits with at most one point among them and an optional exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.is_none_or(|text| {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        !unsigned.is_empty() && digits(unsigned)
    });
    whole.len() + fraction.len() > 0 && digits(whole) && digits(fraction) && exponent
}

/// A number `mantissa` × 2^`exponent`; `cut` says whether nonzero digits below the mantissa were dropped.
struct Hexadecimal {
    mantissa: u64,
    exponent: i64,
    cut: bool,
}

impl Hexadecimal {
    /// Reads what follows `0x`: digits, an optional point, and the mandatory exponent.
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['p', 'P'])?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.len() + fraction.len() == 0 || !is_decimal(&format!("0e{exponent}")) {
            return None;
        }
        let mut read = Self { mantissa: 0, exponent: saturating(exponent), cut: false };
        let places = whole.chars().map(|digit| (digit, 0)).chain(fraction.chars().map(|digit| (digit, -4)));
        for (digit, step) in places {
            let digit = digit.to_digit(16)?;
            read.exponent += step;
            if read.mantissa >> 56 == 0 {
                read.mantissa = read.mantissa << 4 | u64::from(digit);
            } else {
                read.exponent += 4;
                read.cut |= digit != 0;
            }
        }
        Some(read)
    }

    /// Rounds to the nearest number of at most `bits` bits that is a multiple of 2^`least`; ties go to the even one.
    fn round(&self, bits: i64, least: i64) -> f64 {
        let length = i64::from(u64::BITS - self.mantissa.leading_zeros());
        let place = (self.exponent + length - bits).max(least);
        let Ok(shift @ 1..) = u32::try_from(place - self.exponent) else {
            return scaled(self.mantissa, self.exponent);
        };
        // The mantissa has at most 60 bits, so with a larger shift the value is less than half of the last place.
        if self.mantissa == 0 || shift > 61 {
            return 0.0;
        }
        let (kept, half) = (self.mantissa >> shift, 1 << (shift - 1));
        let rest = self.mantissa & ((half << 1) - 1);
        let up = rest > half || rest == half && (self.cut || kept & 1 == 1);
        scaled(kept + u64::from(up), place)
    }
}

/// Multiplies a mantissa that fits in a float by a power of two. Nothing is left to round.
#[expect(clippy::cast_precision_loss, reason = "the mantissa has at most 53 bits")]
fn scaled(mantissa: u64, exponent: i64) -> f64 {
    let power = match exponent {
        ..=-1075 => 0,
        -1074..=-1023 => 1 << (exponent + 1074),
        -1022..=1023 => (exponent + 1023) << 52,
        1024.. => 0x7FF << 52,
    };
    if mantissa == 0 { 0.0 } else { mantissa as f64 * f64::from_bits(power.cast_unsigned()) }
}

/// Reads an exponent of checked digits and clamps it: far beyond the range of floats the exact value does not matter.
fn saturating(text: &str) -> i64 {
    const FAR: i64 = 1 << 40;
    text.parse().unwrap_or(if text.starts_with('-') { -FAR } else { FAR }).clamp(-FAR, FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_java_reads_them() {
        for (text, value) in [
            ("1", 1),
            ("+1", 1),
            ("-0", 0),
            ("007", 7),
            ("٣", 3),
            ("３", 3),
            ("+٣٤", 34),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("000000000000000000000000000000001", 1),
        ] {
            assert_eq!(integer(text), Some(value), "{text}");
        }
        for text in ["", "-", " 1", "1 ", "1.0", "1e3", "0x10", "1_0", "𝟏", "−1", "9223372036854775808"] {
            assert_eq!(integer::<i64>(text), None, "{text}");
        }
    }

    #[test]
    fn floats_as_java_reads_them() {
        for (text, value) in [
            ("1", 1.0),
            ("+1", 1.0),
            ("-0", -0.0),
            (".5", 0.5),
            ("5.", 5.0),
            (" 1.5\t\n", 1.5),
            ("1.5f", 1.5),
            ("1.5D", 1.5),
            ("1E5f", 1e5),
            ("1e+5", 1e5),
            ("1e400", f64::INFINITY),
            ("-1e-400", -0.0),
            ("1e99999999999", f64::INFINITY),
            ("0e99999999999", 0.0),
            ("1e-99999999999", 0.0),
            ("Infinity", f64::INFINITY),
            ("+Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x1p3", 8.0),
            ("0X1.8P-1", 0.75),
            ("0x.8p1", 1.0),
            ("0x1.p0", 1.0),
            ("0x1p1d", 2.0),
            ("0x1p+3", 8.0),
            ("-0x1p-1074", -5e-324),
            ("0x0.8p-1074", 0.0),
            ("0x0.81p-1074", 5e-324),
            ("0x1p-1080", 0.0),
            ("0x1p1023", 8.98846567431158e307),
            ("0x1p1024", f64::INFINITY),
            ("0x1.fffffffffffff8p1023", f64::INFINITY),
            ("0x1.fffffffffffff7fp1023", f64::MAX),
            ("0x1.0000000000000800000001p0", 1.0 + f64::EPSILON),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.00000000000018p0", 1.0 + 2.0 * f64::EPSILON),
            ("0x1p99999999999", f64::INFINITY),
            ("0x0p99999999999", 0.0),
            ("0x1p-99999999999", 0.0),
            ("0x123456789abcdef0123456789p-8", 3.521_251_667_300_637e26),
        ] {
            assert_eq!(float64(text).map(f64::to_bits), Some(value.to_bits()), "{text}");
        }
        assert!(["NaN", "-NaN", "+NaN"].iter().all(|text| float64(text).is_some_and(f64::is_nan)));
    }

    #[test]
    fn texts_that_are_not_floats() {
        for text in [
            "", " ", ".", "f", "1 f", "1.5ff", "inf", "nan", "infinity", "NaNf", "1,5", "1_0", "٣", "\u{a0}1", "+-1",
            "- 1", "1e", "1e+", "1e5.0", "e5", "0x1", "0xp1", "0x1p", "0x.p1", "0x_1p1", "0xgp1", "0x1p1.0", "1.2.3",
        ] {
            assert_eq!(float64(text), None, "{text}");
        }
    }

    #[test]
    fn short_floats_are_rounded_once() {
        for (text, value) in [
            ("0.1", 0.1_f32),
            ("16777217", 16_777_216.0),
            ("1.00000017881393432617187499", 1.000_000_1),
            ("0x1p1", 2.0),
            ("0x1.000001p0", 1.0),
            ("0x1.0000010000000001p0", 1.0 + f32::EPSILON),
            ("1e39", f32::INFINITY),
            ("0x1p128", f32::INFINITY),
            ("0x1p-149", 1e-45),
            ("0x0.8p-149", 0.0),
        ] {
            assert_eq!(float32(text).map(f32::to_bits), Some(value.to_bits()), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hexadecimal_floats_read_back(bits: u64) {
            let value = f64::from_bits(bits & !(1 << 63));
            if value.is_finite() {
                let exponent = (value.to_bits() >> 52).max(1).cast_signed() - 1075;
                let fraction = value.to_bits() & ((1 << 52) - 1);
                let mantissa = if value.is_normal() { fraction | 1 << 52 } else { fraction };
                let text = format!("0x{mantissa:x}p{exponent}");
                proptest::prop_assert_eq!(float64(&text), Some(value), "{}", text);
            }
        }
    }
}
