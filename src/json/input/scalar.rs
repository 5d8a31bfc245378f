//! Typed values of one word: bytes in Base64, and UUIDs.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The standard alphabet, with or without padding. As in Java, the bits after the last byte are ignored.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes Base64. Padding may be absent, but not incomplete.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    if text.ends_with('=') && !text.len().is_multiple_of(4) {
        return None;
    }
    BASE64.decode(text).ok()
}

/// Reads a UUID of five groups. As in Java, short groups are padded with zeros and long ones keep their lowest digits.
pub(super) fn uuid(text: &str) -> Option<[u8; 16]> {
    if text.len() > 36 {
        return None;
    }
    let mut groups = text.split('-').map(|group| i64::from_str_radix(group, 16).ok());
    let mut uuid = 0_u128;
    for bits in [32, 16, 16, 16, 48] {
        let group = groups.next()??.cast_unsigned();
        uuid = uuid << bits | u128::from(group & ((1 << bits) - 1));
    }
    groups.next().is_none().then(|| uuid.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_java_reads_it() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("AQ==", &[1]),
            ("AQ", &[1]),
            ("AR", &[1]),
            ("AQI=", &[1, 2]),
            ("AQJ", &[1, 2]),
            ("AQIDBAU=", &[1, 2, 3, 4, 5]),
            ("+/+/", &[0xFB, 0xFF, 0xBF]),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes), "{text}");
        }
        for text in [
            "A", "AQIDA", "AQ=", "AQ===", "AQI==", "AQID=", "AQID====", "=", "====", "A===", "A-_=", "AQ ID", "AQ\n",
            "AQ==AQ==", "é",
        ] {
            assert_eq!(base64(text), None, "{text}");
        }
    }

    #[test]
    fn uuids_as_java_reads_them() {
        for (text, value) in [
            ("123e4567-e89b-12d3-a456-426614174000", 0x123e_4567_e89b_12d3_a456_4266_1417_4000_u128),
            ("123E4567-E89B-12D3-A456-426614174000", 0x123e_4567_e89b_12d3_a456_4266_1417_4000),
            ("1-2-3-4-5", 0x0000_0001_0002_0003_0004_0000_0000_0005),
            ("fffffffff-12345-1-1-1", 0xffff_ffff_2345_0001_0001_0000_0000_0001),
            ("+1-1-1-1-7fffffffffffffff", 0x0000_0001_0001_0001_0001_ffff_ffff_ffff),
        ] {
            assert_eq!(uuid(text), Some(value.to_be_bytes()), "{text}");
        }
        for text in [
            "",
            "123e4567e89b12d3a456426614174000",
            "1--3-4-5",
            "1-2-3-4",
            "1-2-3-4-",
            "1-2-3-4-5-6",
            "-1-1-1-1-1",
            "g-1-1-1-1",
            " 1-1-1-1-1",
            "{123e4567-e89b-12d3-a456-426614174000}",
            "1-1-1-1-ffffffffffffffff",
            "123e4567-e89b-12d3-a456-4266141740001",
        ] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }
}
