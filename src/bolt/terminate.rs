//! Ending a statement on another connection, for servers on which RESET has to wait for it (Memgraph).

use std::time::Duration;

use tokio::time::sleep;

use super::{
    connection::{Connection, Reply},
    error::Error,
    message::{Extra, TAG_KEY},
    packstream::{DecodeError, Reader},
    summary,
};

/// Rows asked for at once; more transactions than this do not run on one server.
const ROWS: u32 = 100_000;

/// How long the database may take to list or end transactions, in milliseconds.
const TIMEOUT_MS: i64 = 5000;

/// How often the transaction is looked for: one that the server is just checking is left out of the list.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Ends the transaction whose metadata carry `tag`, on another `connection` under the same login, as the same `user` if it
/// was impersonated (a user may always end what is its own). Gives whether there was one.
///
/// # Errors
/// What broke the connection.
pub async fn terminate(connection: &mut Connection, tag: &str, user: Option<&str>) -> Result<bool, Error> {
    let mut found = find(connection, tag, user).await?;
    for _ in 1..LOOKS {
        // After a refusal there is nothing to be seen later either.
        if found.is_some() || !connection.is_clean() {
            break;
        }
        sleep(BETWEEN_LOOKS).await;
        found = find(connection, tag, user).await?;
    }
    let Some(id) = found else {
        return Ok(false);
    };
    // The identifier has to be a literal in the statement. `find` lets digits through, nothing else.
    start(connection, &format!("TERMINATE TRANSACTIONS \"{id}\""), user);
    let mut ended = true;
    for _ in ["RUN", "PULL"] {
        loop {
            match connection.reply().await? {
                Reply::Record => {}
                Reply::Success => break,
                Reply::Failure(_) | Reply::Ignored => {
                    ended = false;
                    break;
                }
            }
        }
    }
    Ok(ended)
}

fn start(connection: &mut Connection, statement: &str, user: Option<&str>) {
    let extra = Extra { timeout_ms: Some(TIMEOUT_MS), impersonated_user: user, ..Extra::default() };
    connection.run(statement, &[0xA0], &extra);
    connection.pull(ROWS);
}

/// The identifier of the transaction that carries `tag`.
async fn find(connection: &mut Connection, tag: &str, user: Option<&str>) -> Result<Option<String>, Error> {
    start(connection, "SHOW TRANSACTIONS", user);
    let Reply::Success = connection.reply().await? else {
        return Ok(None);
    };
    let columns = summary::columns(connection.payload())?;
    let (Some(id_column), Some(metadata_column)) =
        (position(&columns.list, "transaction_id"), position(&columns.list, "metadata"))
    else {
        return Ok(None);
    };
    let mut found = None;
    while connection.reply().await? == Reply::Record {
        let row = connection.payload();
        if carries(field(row, metadata_column)?, tag) {
            let id = Reader::new(field(row, id_column)?).expect_string()?;
            if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
                found = Some(id.to_owned());
            }
        }
    }
    Ok(found)
}

/// Columns differ between versions, so they are found by name.
fn position(columns: &[u8], name: &str) -> Option<usize> {
    let mut reader = Reader::new(columns);
    let count = reader.expect_list().ok()?;
    (0..count).find(|_| reader.expect_string() == Ok(name))
}

fn field(row: &[u8], column: usize) -> Result<&[u8], DecodeError> {
    let mut reader = Reader::new(row);
    reader.expect_list()?;
    for _ in 0..column {
        reader.skip()?;
    }
    reader.raw()
}

fn carries(metadata: &[u8], tag: &str) -> bool {
    summary::string_entry(metadata, TAG_KEY).is_some_and(|found| found == tag)
}
