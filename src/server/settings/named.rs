//! Named queries: their files.

use crate::{
    auth::WhoRules,
    config,
    named::{FileError, Queries},
};

/// Reads the folder of named queries, if there is one.
///
/// # Errors
/// Everything that is wrong with its files.
pub(in crate::server) fn load(settings: &config::Settings) -> Result<Queries, Vec<FileError>> {
    let Some(directory) = &settings.named.directory else { return Ok(Queries::default()) };
    let queries = Queries::load(directory)?;
    if !settings.auth.issuers.is_empty() {
        return Ok(queries);
    }
    let reading = queries.all().filter(|query| query.allow.read_claims());
    let mistakes: Vec<_> = reading
        .map(|query| FileError {
            file: query.file.clone(),
            line: 1,
            message: "`allow` names a claim, but no token is verified; add the issuer of the tokens in \
                      [auth.issuers.NAME]"
                .to_owned(),
        })
        .collect();
    if mistakes.is_empty() { Ok(queries) } else { Err(mistakes) }
}

/// Who may send statements of their own.
pub(super) fn cypher(settings: &config::Settings) -> WhoRules {
    WhoRules::new(&settings.cypher.allow)
}

/// Whether any rules read claims of tokens.
pub(super) fn read_claims(settings: &config::Settings, queries: &Queries) -> bool {
    cypher(settings).read_claims() || queries.read_claims()
}
