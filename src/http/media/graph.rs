//! The parameter of graph documents.

use super::Unfit;
use crate::json::output::GraphShape;

pub(super) const NAME: &str = "application/vnd.boltgate.graph+json";

/// The shape that the parameters ask for. Other names are ignored.
///
/// # Errors
/// [`Unfit::Malformed`] for a shape that does not exist.
pub(super) fn shape<'a>(mut parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Result<GraphShape, Unfit> {
    match parameters.find(|(name, _)| name.eq_ignore_ascii_case("shape")) {
        None => Ok(GraphShape::Lists),
        Some((_, shape)) if shape.eq_ignore_ascii_case("cytoscape") => Ok(GraphShape::Cytoscape),
        Some(_) => {
            Err(Unfit::Malformed("Accept: application/vnd.boltgate.graph+json takes shape=cytoscape, or no shape"))
        }
    }
}

/// The value of `Content-Type`, with what was honoured.
pub(super) fn content_type(shape: GraphShape) -> &'static str {
    match shape {
        GraphShape::Lists => NAME,
        GraphShape::Cytoscape => "application/vnd.boltgate.graph+json;shape=cytoscape",
    }
}
