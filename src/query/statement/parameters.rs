//! Parameters of statements, validated for the server that they are sent to.
//!
//! Owns the decision where that happens: small maps on the spot, large ones on another thread.

use std::{borrow::Cow, sync::Arc};

use crate::{
    bolt::{
        Connection,
        parameters::{Accepts, InvalidParameter, validate_parameters},
    },
    query::{
        error::Error,
        offload::{OFFLOAD_ABOVE, offload},
    },
};

/// The member of a request that has the parameters, as error messages call it.
pub(in crate::query) const PARAMETERS: &str = "parameters";

/// A statement's parameters: a PackStream map. A large one can be shared with another thread.
#[derive(Debug, Clone)]
pub struct Parameters(Map);

#[derive(Debug, Clone)]
enum Map {
    Small(Vec<u8>),
    Large(Arc<Vec<u8>>),
}

impl From<Vec<u8>> for Parameters {
    fn from(map: Vec<u8>) -> Self {
        Self(if map.len() <= OFFLOAD_ABOVE { Map::Small(map) } else { Map::Large(Arc::new(map)) })
    }
}

/// Returns `map` as the server of `connection` accepts it. Errors call it `root`.
///
/// # Errors
/// When the server does not support one of the values.
pub(in crate::query) fn validated<'a>(
    root: &str,
    map: &'a [u8],
    connection: &Connection,
) -> Result<Cow<'a, [u8]>, Error> {
    validate_parameters(root, map, &accepted_by(connection)).map_err(invalid)
}

/// Like [`validated`] for a statement's parameters, but offloads large ones.
// What the server accepts is determined before the future starts, because the future must not borrow the connection.
pub(in crate::query) fn validated_parameters<'a>(
    parameters: &'a Parameters,
    connection: &Connection,
) -> impl Future<Output = Result<Cow<'a, [u8]>, Error>> + Send + use<'a> {
    let accepts = accepted_by(connection);
    async move {
        match &parameters.0 {
            Map::Small(map) => validate_parameters(PARAMETERS, map, &accepts).map_err(invalid),
            Map::Large(map) => {
                let shared = Arc::clone(map);
                let replacement = Box::pin(validate_offloaded(move |validate| validate(&shared), accepts)).await?;
                Ok(replacement.map_or(Cow::Borrowed(&***map), Cow::Owned))
            }
        }
    }
}

/// Runs `with` on another thread. It passes the map of parameters to the function that it is given.
pub(in crate::query) async fn validate_offloaded(
    with: impl FnOnce(&dyn Fn(&[u8]) -> Replacement) -> Replacement + Send + 'static,
    accepts: Accepts,
) -> Replacement {
    offload(move || {
        with(&|map| match validate_parameters(PARAMETERS, map, &accepts).map_err(invalid)? {
            Cow::Borrowed(_) => Ok(None),
            Cow::Owned(rewritten) => Ok(Some(rewritten)),
        })
    })
    .await
}

/// The map to send in place of the caller's, if they differ.
pub(in crate::query) type Replacement = Result<Option<Vec<u8>>, Error>;

fn invalid(parameter: InvalidParameter) -> Error {
    Error::bad_request(&parameter.to_string())
}

/// Returns what the server of `connection` accepts as a parameter.
pub(in crate::query) fn accepted_by(connection: &Connection) -> Accepts {
    let (capabilities, dialect) = (connection.capabilities(), connection.dialect());
    Accepts {
        utc: capabilities.utc,
        bytes: dialect.bytes,
        zoned_time: dialect.zoned_time,
        vector: capabilities.vector,
        uuid: capabilities.uuid,
        memgraph_temporals: dialect.confined_temporals,
        max_depth: dialect.parameter_depth,
        max_elements: dialect.parameter_values,
    }
}
