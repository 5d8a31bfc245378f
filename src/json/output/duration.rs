//! Durations as Neo4j prints them: ISO 8601, each part with its own sign.

use bytes::{BufMut, BytesMut};

use super::{scalar, temporal};
use crate::bolt::packstream::DecodeError;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Appends a duration. The four parts are independent and may have different signs.
///
/// # Errors
/// Returns [`DecodeError::Value`] if adding the nanoseconds takes the seconds beyond 64 bits.
pub(super) fn duration(
    out: &mut BytesMut,
    months: i64,
    days: i64,
    seconds: i64,
    nanos: i64,
) -> Result<(), DecodeError> {
    let seconds = seconds
        .checked_add(nanos.div_euclid(NANOS_PER_SECOND))
        .ok_or(DecodeError::Value("a duration beyond 64 bits of seconds"))?;
    let nanos = nanos.rem_euclid(NANOS_PER_SECOND);
    if (months, days, seconds, nanos) == (0, 0, 0, 0) {
        out.extend_from_slice(b"PT0S");
        return Ok(());
    }
    out.put_u8(b'P');
    part(out, months / 12, b'Y');
    part(out, months % 12, b'M');
    part(out, days, b'D');
    if seconds != 0 || nanos != 0 {
        out.put_u8(b'T');
        // From here on the fraction has the sign of the seconds, as it is printed.
        let (seconds, nanos) =
            if seconds < 0 && nanos > 0 { (seconds + 1, nanos - NANOS_PER_SECOND) } else { (seconds, nanos) };
        part(out, seconds / 3600, b'H');
        part(out, seconds / 60 % 60, b'M');
        if seconds % 60 != 0 || nanos != 0 {
            if seconds % 60 == 0 && nanos < 0 {
                out.put_u8(b'-');
            }
            scalar::integer(out, seconds % 60);
            temporal::fraction(out, nanos.abs());
            out.put_u8(b'S');
        }
    }
    Ok(())
}

fn part(out: &mut BytesMut, amount: i64, unit: u8) {
    if amount != 0 {
        scalar::integer(out, amount);
        out.put_u8(unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_neo4j_writes_them() {
        const HALF: i64 = 500_000_000;
        for (months, days, seconds, nanos, text) in [
            (0, 0, 0, 0, "PT0S"),
            (14, 25, 18_367, 890_000_000, "P1Y2M25DT5H6M7.89S"),
            (-14, -3, -6, 999_999_993, "P-1Y-2M-3DT-5.000000007S"),
            (-14, -3, -5, -7, "P-1Y-2M-3DT-5.000000007S"),
            (0, 0, -1, HALF, "PT-0.5S"),
            (0, 0, 0, -HALF, "PT-0.5S"),
            (0, 0, 1, -1, "PT0.999999999S"),
            (0, 0, -1, 1, "PT-0.999999999S"),
            (0, 0, -60, HALF, "PT-59.5S"),
            (0, 0, 60, -HALF, "PT59.5S"),
            (0, 0, -1, 999_999_999, "PT-0.000000001S"),
            (0, 0, -2, 999_999_999, "PT-1.000000001S"),
            (0, 0, -1, -HALF, "PT-1.5S"),
            (0, 3, 0, 0, "P3D"),
            (0, 0, -3700, 0, "PT-1H-1M-40S"),
            (0, 0, -3601, HALF, "PT-1H-0.5S"),
            (0, 0, 60, 0, "PT1M"),
            (0, 0, 129_600, 0, "PT36H"),
            (12, 0, 0, 0, "P1Y"),
            (13, 0, 0, 0, "P1Y1M"),
            (-13, 0, 0, 0, "P-1Y-1M"),
            (1, -1, 0, 0, "P1M-1D"),
            (0, -1, 1, 0, "P-1DT1S"),
            (0, 0, 3540, 0, "PT59M"),
            (0, 22, 71_509, HALF, "P22DT19H51M49.5S"),
            (0, 17, 43_200, 0, "P17DT12H"),
            (6, 0, 0, 0, "P6M"),
            (0, 7, 0, 0, "P7D"),
            (0, 0, 3960, 0, "PT1H6M"),
            (0, 0, 360_000_000, 0, "PT100000H"),
            (24_146, 2, 52_641, 545_000_000, "P2012Y2M2DT14H37M21.545S"),
            (0, 0, -61, HALF, "PT-1M-0.5S"),
            (0, 0, -3599, 0, "PT-59M-59S"),
            (-1, 0, -60, 0, "P-1MT-1M"),
            (1, -1, 3661, 1, "P1M-1DT1H1M1.000000001S"),
            (0, 0, 9_223_372_036_854_775, 0, "PT2562047788015H12M55S"),
            (
                i64::MIN,
                i64::MIN,
                i64::MIN,
                0,
                "P-768614336404564650Y-8M-9223372036854775808DT-2562047788015215H-30M-8S",
            ),
        ] {
            let mut out = BytesMut::new();
            duration(&mut out, months, days, seconds, nanos).unwrap();
            assert_eq!(out, text);
        }
    }

    #[test]
    fn nanoseconds_that_overflow_the_seconds_are_refused() {
        for (seconds, nanos) in [(i64::MIN, -1), (i64::MAX, NANOS_PER_SECOND), (i64::MIN, i64::MIN)] {
            assert!(duration(&mut BytesMut::new(), 0, 0, seconds, nanos).is_err());
        }
    }
}
