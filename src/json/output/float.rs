//! Floating-point numbers in Java's notation, which clients of the Query API compare with.
//!
//! Prints the fewest digits that read back as the same number: as `123.0` from 10⁻³ up to 10⁷, otherwise as `1.23E7`.
//! There is always a digit on each side of the point.

use bytes::BytesMut;

/// A decimal number as `d.ddd × 10^exponent`.
struct Decimal {
    negative: bool,
    /// A double needs at most 17 digits; a zero after the point may add one.
    digits: [u8; 20],
    count: usize,
    exponent: i32,
}

/// Appends a double: a number, or `NaN`, `Infinity`, `-Infinity` without quotes.
pub(super) fn double(out: &mut BytesMut, value: f64) {
    java_text(out, value, value.is_subnormal());
}

/// Appends a float in its own, shorter digits, otherwise like [`double`].
pub(super) fn float(out: &mut BytesMut, value: f32) {
    java_text(out, value, value.is_subnormal());
}

fn java_text<F: zmij::Float + Copy + Into<f64>>(out: &mut BytesMut, value: F, subnormal: bool) {
    let double: f64 = value.into();
    if !double.is_finite() {
        return out.extend_from_slice(not_finite(double));
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    if double == 0.0 || (1e-3..1e7).contains(&double.abs()) {
        return out.extend_from_slice(shortest.as_bytes());
    }
    let mut decimal = Decimal::parse(shortest);
    if subnormal && decimal.count == 1 {
        // Java prints at least two digits, and then the closest: 4.9E-324, not 5.0E-324. For numbers that are not
        // subnormal the second digit can only be a zero.
        decimal = Decimal::parse(&format!("{double:.1e}"));
    }
    decimal.write(out);
}

fn not_finite(value: f64) -> &'static [u8] {
    if value.is_nan() {
        b"NaN"
    } else if value > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    }
}

impl Decimal {
    /// Parses `-123.4`, `0.00012` or `1.5e-7`.
    fn parse(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut decimal =
            Self { negative: false, digits: [b'0'; 20], count: 0, exponent: exponent.parse().unwrap_or(0) };
        // The power of ten of the next digit, relative to the point.
        let mut power = -1;
        let mut after_point = false;
        for byte in mantissa.bytes() {
            match byte {
                b'-' => decimal.negative = true,
                b'.' => after_point = true,
                b'0' if decimal.count == 0 => power -= i32::from(after_point),
                digit => {
                    if let Some(place) = decimal.digits.get_mut(decimal.count) {
                        *place = digit;
                        decimal.count += 1;
                    }
                    power += i32::from(!after_point);
                }
            }
        }
        decimal.exponent += power;
        let significant = decimal.digits().iter().rposition(|&digit| digit != b'0');
        decimal.count = significant.map_or(1, |last| last + 1);
        decimal
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or_default()
    }

    fn write(&self, out: &mut BytesMut) {
        if self.negative {
            out.extend_from_slice(b"-");
        }
        let (first, rest) = self.digits().split_at_checked(1).unwrap_or((b"0", b""));
        out.extend_from_slice(first);
        out.extend_from_slice(b".");
        out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
        out.extend_from_slice(b"E");
        out.extend_from_slice(itoa::Buffer::new().format(self.exponent).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double_text(value: f64) -> String {
        let mut out = BytesMut::new();
        double(&mut out, value);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn float_text(value: f32) -> String {
        let mut out = BytesMut::new();
        float(&mut out, value);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn doubles_as_java_writes_them() {
        for (value, text) in [
            (0.1, "0.1"),
            (1.5e300, "1.5E300"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.0, "0.0"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (0.001, "0.001"),
            (9e-4, "9.0E-4"),
            (9.9e-4, "9.9E-4"),
            (4.9e-324, "4.9E-324"),
            (1e-323, "9.9E-324"),
            (1.5e-323, "1.5E-323"),
            (2e-323, "2.0E-323"),
            (3.2e9, "3.2E9"),
            (2e-7, "2.0E-7"),
            (100.0, "100.0"),
            (-1e7, "-1.0E7"),
            (1e300, "1.0E300"),
            (1_073_741_824.0, "1.073741824E9"),
            (9_007_199_254_740_992.0, "9.007199254740992E15"),
            (0.000_123_45, "1.2345E-4"),
            (-0.000_012_345, "-1.2345E-5"),
            (1e16, "1.0E16"),
            (1e15, "1.0E15"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (0.100_000_001_490_116_12, "0.10000000149011612"),
            (2e23, "2.0E23"),
            (123_456_789.125, "1.23456789125E8"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }

    #[test]
    fn floats_have_fewer_digits_than_doubles() {
        for (value, text) in [
            (0.1, "0.1"),
            (1.0, "1.0"),
            (f32::MAX, "3.4028235E38"),
            (1e-45, "1.4E-45"),
            (9.8e-45, "9.8E-45"),
            (1e10, "1.0E10"),
            (-2.5, "-2.5"),
            (3e-45, "2.8E-45"),
            (16_777_216.0, "1.6777216E7"),
            (f32::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float_text(value), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_double_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            proptest::prop_assume!(value.is_finite());
            let text = double_text(value);
            proptest::prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{}", text);
            let plain = (1e-3..1e7).contains(&value.abs()) || value == 0.0;
            proptest::prop_assert_eq!(text.contains('E'), !plain, "{}", text);
            let point = text.find('.').unwrap();
            proptest::prop_assert!(text.as_bytes()[point + 1].is_ascii_digit());
        }

        #[test]
        fn any_float_reads_back(bits: u32) {
            let value = f32::from_bits(bits);
            proptest::prop_assume!(value.is_finite());
            proptest::prop_assert_eq!(float_text(value).parse::<f32>().unwrap().to_bits(), bits);
        }
    }
}
