//! Points in text: `SRID=7203;POINT (1.0 2.0)`, `SRID=9157;POINT Z (1.0 2.0 3.0)`.
//!
//! Leaves it to the database to judge whether an SRID exists and fits the number of coordinates.

use super::number::float64;

/// A point of two or three coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub srid: i64,
    pub x: f64,
    pub y: f64,
    pub z: Option<f64>,
}

/// Reads a point. The `Z` is optional and ignored: the number of coordinates decides.
pub(super) fn point(text: &str) -> Option<Point> {
    let (srid, shape) = text.strip_prefix("SRID=")?.split_once(';')?;
    let digits = srid.bytes().all(|byte| byte.is_ascii_digit());
    let srid: i32 = srid.parse().ok().filter(|_| digits)?;
    let shape = skip_space(skip_space(shape).strip_prefix("POINT")?);
    let shape = skip_space(shape.strip_prefix('Z').unwrap_or(shape));
    let inside = shape.strip_prefix('(')?.strip_suffix(')')?;
    let mut coordinates = inside.split(is_space).filter(|word| !word.is_empty()).map(float64);
    let (x, y) = (coordinates.next()??, coordinates.next()??);
    let z = match coordinates.next() {
        Some(z) => Some(z?),
        None => None,
    };
    coordinates.next().is_none().then_some(Point { srid: i64::from(srid), x, y, z })
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_with_spaces_in_every_position() {
        for (text, expected) in [
            ("SRID=7203;POINT (1 2)", (7203, 1.0, 2.0, None)),
            ("SRID=7203;POINT(1 2)", (7203, 1.0, 2.0, None)),
            ("SRID=7203; POINT  (  1\t 2  )", (7203, 1.0, 2.0, None)),
            ("SRID=7203;\nPOINT Z (1 2)", (7203, 1.0, 2.0, None)),
            ("SRID=9157;POINT (1 2 3)", (9157, 1.0, 2.0, Some(3.0))),
            ("SRID=9157;POINTZ(1 2 3)", (9157, 1.0, 2.0, Some(3.0))),
            ("SRID=4326;POINT Z (1 2 3)", (4326, 1.0, 2.0, Some(3.0))),
            ("SRID=007203;POINT (+1 -0.5e1)", (7203, 1.0, -5.0, None)),
            ("SRID=7203;POINT (1. .5)", (7203, 1.0, 0.5, None)),
            ("SRID=7203;POINT (1.200000 3.400000)", (7203, 1.2, 3.4, None)),
            ("SRID=7203;POINT (0x1p3 1d)", (7203, 8.0, 1.0, None)),
            ("SRID=2147483647;POINT (1 Infinity)", (2_147_483_647, 1.0, f64::INFINITY, None)),
        ] {
            let (srid, x, y, z) = expected;
            assert_eq!(point(text), Some(Point { srid, x, y, z }), "{text}");
        }
    }

    #[test]
    fn texts_that_are_not_points() {
        for text in [
            "",
            "POINT (1 2)",
            "srid=7203;POINT (1 2)",
            "SRID=7203;point (1 2)",
            "SRID=7203;POINT z (1 2)",
            "SRID=7203;POINT M (1 2)",
            " SRID=7203;POINT (1 2)",
            "SRID=7203;POINT (1 2) ",
            "SRID=7203;POINT (1 2)x",
            "SRID=7203 ;POINT (1 2)",
            "SRID= 7203;POINT (1 2)",
            "SRID=+7203;POINT (1 2)",
            "SRID=-1;POINT (1 2)",
            "SRID=;POINT (1 2)",
            "SRID=2147483648;POINT (1 2)",
            "SRID=٧٢٠٣;POINT (1 2)",
            "SRID=7203;POINT (1,2)",
            "SRID=7203;POINT (1)",
            "SRID=7203;POINT ()",
            "SRID=7203;POINT (1 2 3 4)",
            "SRID=7203;POINT (1-2)",
            "SRID=7203;POINT (1 2",
            "SRID=7203;POINT 1 2)",
            "SRID=7203;POINT (1\u{a0}2)",
            "SRID=7203;POINT (a b)",
            "SRID=7203;POINT (1e 2)",
            "SRID=7203POINT (1 2)",
        ] {
            assert_eq!(point(text), None, "{text}");
        }
    }
}
