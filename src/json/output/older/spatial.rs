//! Points, in a form like GeoJSON's.

use bytes::{BufMut, BytesMut};

use crate::bolt::packstream::{DecodeError, Reader, Token};
use crate::json::output::scalar;

/// Reference systems by their SRID: the name, and the catalog that describes it. Memgraph 2.19 and 2.20 misspelt the
/// last one's number.
const SYSTEMS: [(i64, &str, &str); 5] = [
    (4326, "wgs-84", "epsg"),
    (4979, "wgs-84-3d", "epsg"),
    (7203, "cartesian", "sr-org"),
    (9157, "cartesian-3d", "sr-org"),
    (9757, "cartesian-3d", "sr-org"),
];

/// Appends the point whose fields come next in the reader.
pub(super) fn point<const N: usize>(out: &mut BytesMut, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let srid = reader.expect_integer()?;
    let known = SYSTEMS.iter().find(|(number, ..)| *number == srid);
    let (_, name, catalog) = known.ok_or(DecodeError::Value("a point in an unknown reference system"))?;
    let srid = if srid == 9757 { 9157 } else { srid };
    out.extend_from_slice(b"{\"type\":\"Point\",\"coordinates\":[");
    for position in 0..N {
        if position > 0 {
            out.put_u8(b',');
        }
        let Token::Float(coordinate) = reader.token()? else {
            return Err(DecodeError::Value("a point with a coordinate that is not a float"));
        };
        scalar::plain_float(out, coordinate);
    }
    out.extend_from_slice(b"],\"crs\":{\"srid\":");
    scalar::integer(out, srid);
    out.extend_from_slice(b",\"name\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"type\":\"link\",\"properties\":{\"href\":\"https://spatialreference.org/ref/");
    out.extend_from_slice(catalog.as_bytes());
    out.put_u8(b'/');
    scalar::integer(out, srid);
    out.extend_from_slice(b"/ogcwkt/\",\"type\":\"ogcwkt\"}}}");
    Ok(())
}
