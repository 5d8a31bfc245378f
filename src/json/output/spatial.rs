//! Points as well-known text, prefixed with the reference system.

use bytes::{BufMut, BytesMut};

use super::{float, scalar};

/// The SRID of three-dimensional Cartesian points, and the one that Memgraph 2.19 and 2.20 sent by mistake. Clients
/// know only the first.
const CARTESIAN_3D: i64 = 9157;
const MISSPELT_CARTESIAN_3D: i64 = 9757;

pub(super) fn point_2d(out: &mut BytesMut, srid: i64, coordinates: [f64; 2]) {
    point(out, srid, b";POINT (", &coordinates);
}

pub(super) fn point_3d(out: &mut BytesMut, srid: i64, coordinates: [f64; 3]) {
    point(out, srid_3d(srid), b";POINT Z (", &coordinates);
}

/// The SRID of a three-dimensional point, as clients know it.
pub(crate) fn srid_3d(srid: i64) -> i64 {
    if srid == MISSPELT_CARTESIAN_3D { CARTESIAN_3D } else { srid }
}

fn point(out: &mut BytesMut, srid: i64, opening: &[u8], coordinates: &[f64]) {
    out.extend_from_slice(b"SRID=");
    scalar::integer(out, srid);
    out.extend_from_slice(opening);
    for (position, &coordinate) in coordinates.iter().enumerate() {
        if position > 0 {
            out.put_u8(b' ');
        }
        float::double(out, coordinate);
    }
    out.put_u8(b')');
}
