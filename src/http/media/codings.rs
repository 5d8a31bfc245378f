//! The content coding that `Accept-Encoding` asks for.

use axum::http::{HeaderMap, header};

use super::range::{Range, unquoted};
use crate::unpack::Coding;

/// The coding in which an answer is to be sent; `None` for none. The highest `q` wins; among equals zstd, then gzip, then
/// no coding. What cannot be read is as if it were not there, since an answer without a coding is always acceptable.
pub(in crate::http) fn accepted_coding(headers: &HeaderMap) -> Option<Coding> {
    // Most programs do not ask for one.
    headers.get(header::ACCEPT_ENCODING)?;
    let Qualities { gzip, zstd, identity } = Qualities::of(headers);
    let (coding, quality) = if gzip > zstd { (Coding::Gzip, gzip) } else { (Coding::Zstd, zstd) };
    (quality > 0 && quality >= identity).then_some(coding)
}

/// Whether gzip is as good as no coding at all, for answers that exist in gzip already.
#[cfg(feature = "console")]
pub(in crate::http) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let Qualities { gzip, identity, .. } = Qualities::of(headers);
    gzip > 0 && gzip >= identity
}

/// How much each coding is wanted, in thousandths.
struct Qualities {
    gzip: u16,
    zstd: u16,
    identity: u16,
}

impl Qualities {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_ENCODING);
        let (mut gzip, mut zstd, mut identity, mut others) = (None, None, None, None);
        let texts = values.iter().filter_map(|value| value.to_str().ok());
        for range in texts.flat_map(|text| unquoted(text, ',')).filter_map(|part| Range::parse(part.trim())) {
            let quality = match Coding::named(range.name.as_bytes()) {
                Some(Coding::Gzip) => &mut gzip,
                Some(Coding::Zstd) => &mut zstd,
                None if range.is("identity") => &mut identity,
                None if range.name == "*" => &mut others,
                None => continue,
            };
            // Of what is named twice, the lower: a client may have been told to leave a coding out.
            *quality = Some(quality.map_or(range.quality, |lower: u16| lower.min(range.quality)));
        }
        let of = |named: Option<u16>| named.or(others).unwrap_or(0);
        Self { gzip: of(gzip), zstd: of(zstd), identity: identity.unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn accepted(values: &[&[u8]]) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_bytes(value).unwrap());
        }
        accepted_coding(&headers)
    }

    #[test]
    fn the_highest_weight_wins_and_zstd_among_equals() {
        const GZIP: Option<Coding> = Some(Coding::Gzip);
        const ZSTD: Option<Coding> = Some(Coding::Zstd);
        for (value, expected) in [
            ("", None),
            ("gzip", GZIP),
            ("zstd", ZSTD),
            ("GZip, deflate, br", GZIP),
            ("x-gzip", GZIP),
            ("gzip, deflate, br, zstd", ZSTD),
            ("gzip;q=0.5,zstd ; q=0.499", GZIP),
            ("zstd;q=0.5, gzip;q=0.5", ZSTD),
            ("gzip;q=0", None),
            ("gzip;q=0, *", ZSTD),
            ("zstd;q=0.000, *;q=0.1", GZIP),
            ("*", ZSTD),
            ("*;q=0", None),
            ("*;q=0, gzip;q=0.001", GZIP),
            ("identity", None),
            ("identity, gzip;q=0.9", None),
            ("identity;q=0.9, gzip;q=0.9", GZIP),
            ("identity;q=0", None),
            ("identity;q=0, *;q=0", None),
            ("identity, *;q=0.5", None),
            ("br, deflate", None),
            ("gzip;q=1.001, zstd;q=-1, br", None),
            ("gzip;q=nan, ;q=1, ,;, gz ip, \"gzip\", zstd;q=0.3", ZSTD),
            ("gzip, gzip;q=0", None),
            ("gzip;level=9;q=0.2", GZIP),
        ] {
            assert_eq!(accepted(&[value.as_bytes()]), expected, "{value}");
        }
        assert_eq!(accepted(&[]), None);
        assert_eq!(accepted(&[b"gzip", b"zstd;q=0.5"]), GZIP);
        assert_eq!(accepted(&[b"\xff", b"gzip"]), GZIP, "what is no text is as if it were not there");
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(values in prop::collection::vec("[ -~]{0,60}|([*a-z;=,. 0-9]|gzip|zstd|q=){0,20}", 0..4)) {
            let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
            let chosen = accepted(&values);
            let text = values.concat().to_ascii_lowercase();
            let names = |name: &[u8]| text.windows(name.len()).any(|part| part == name);
            prop_assert!(chosen.is_none() || names(b"*") || names(chosen.unwrap().name().as_bytes()));
        }

        #[test]
        fn weights_decide(gzip in 0_u16..=1000, zstd in 0_u16..=1000, identity in 0_u16..=1000, swapped: bool) {
            let weight = |name, weight| format!("{name};q={}.{:03}", weight / 1000, weight % 1000);
            let mut parts = [weight("gzip", gzip), weight("zstd", zstd), weight("identity", identity)];
            if swapped {
                parts.reverse();
            }
            let best = gzip.max(zstd);
            let expected = if best == 0 || best < identity {
                None
            } else {
                Some(if zstd == best { Coding::Zstd } else { Coding::Gzip })
            };
            prop_assert_eq!(accepted(&[parts.join(",").as_bytes()]), expected);
            let apart: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
            prop_assert_eq!(accepted(&apart), expected);
        }
    }
}
