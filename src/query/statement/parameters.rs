//! The parameters of a statement, as the server at hand takes them.

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

/// What callers know the parameters as.
pub(in crate::query) const PARAMETERS: &str = "parameters";

/// A PackStream map. A large one can be shared, to be worked on elsewhere.
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

/// A map of parameters as the server of `connection` takes it. `root` is the caller's name for it.
pub(in crate::query) fn validated<'a>(
    root: &str,
    map: &'a [u8],
    connection: &Connection,
) -> Result<Cow<'a, [u8]>, Error> {
    validate_parameters(root, map, &accepted_by(connection)).map_err(invalid)
}

/// The same for a statement's parameters, large ones elsewhere.
// What the server takes is found out at once: a connection cannot be shared with the future.
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
                let validated = Box::pin(validate_offloaded(move |fit| fit(&shared), accepts)).await?;
                Ok(validated.map_or(Cow::Borrowed(&***map), Cow::Owned))
            }
        }
    }
}

/// Has `with` give the map of parameters to a function, elsewhere. Gives what it is to be replaced by, if anything.
pub(in crate::query) async fn validate_offloaded(
    with: impl FnOnce(&dyn Fn(&[u8]) -> Validated) -> Validated + Send + 'static,
    accepts: Accepts,
) -> Validated {
    offload(move || {
        with(&|map| match validate_parameters(PARAMETERS, map, &accepts).map_err(invalid)? {
            Cow::Borrowed(_) => Ok(None),
            Cow::Owned(rewritten) => Ok(Some(rewritten)),
        })
    })
    .await
}

/// What a map is to be replaced by, or why it cannot be sent.
pub(in crate::query) type Validated = Result<Option<Vec<u8>>, Error>;

fn invalid(parameter: InvalidParameter) -> Error {
    Error::bad_request(&parameter.to_string())
}

/// What the server of `connection` takes.
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
