//! When a certificate expires.

use rustls::pki_types::CertificateDer;
use simple_asn1::ASN1Block;

/// The end of the certificate's validity (`notAfter`), in seconds since 1970; `None` if it cannot be read.
pub(super) fn expiry(certificate: &CertificateDer<'_>) -> Option<i64> {
    // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { …, validity SEQUENCE { notBefore, notAfter }, … }, … }
    // No other part of tbsCertificate consists of two times.
    let blocks = simple_asn1::from_der(certificate).ok()?;
    let to_be_signed = parts(parts(blocks.first()?)?.first()?)?;
    to_be_signed.iter().find_map(|part| match parts(part)? {
        [ASN1Block::UTCTime(..) | ASN1Block::GeneralizedTime(..), not_after] => seconds(not_after),
        _ => None,
    })
}

fn parts(block: &ASN1Block) -> Option<&[ASN1Block]> {
    match block {
        ASN1Block::Sequence(_, parts) => Some(parts),
        _ => None,
    }
}

fn seconds(time: &ASN1Block) -> Option<i64> {
    match time {
        ASN1Block::UTCTime(_, time) | ASN1Block::GeneralizedTime(_, time) => Some(time.assume_utc().unix_timestamp()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_is_read_in_both_forms_of_time() {
        let key = KeyPair::generate().unwrap();
        // UTCTime ends with 2049.
        for (year, seconds) in [(2030, 1_893_456_000), (2055, 2_682_374_400)] {
            let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, 1, 1);
            let certificate = params.self_signed(&key).unwrap();
            assert_eq!(expiry(certificate.der()), Some(seconds), "{year}");
        }
        assert_eq!(expiry(&CertificateDer::from(vec![0x30, 0x80, 0xff])), None);
        assert_eq!(expiry(&CertificateDer::from(Vec::new())), None);
    }
}
