//! Ending a statement from another connection, for servers on which RESET has to wait for the statement (Memgraph).

use std::time::Duration;

use tokio::time::sleep;

use super::{
    connection::{Connection, Reply},
    error::Error,
    message::{Extra, TAG_KEY},
    packstream::{DecodeError, Reader},
    summary,
};

/// The number of rows to request: no server runs more transactions than this.
const ROWS: u32 = 100_000;

/// How long the database may take to list or end transactions, in milliseconds.
const TIMEOUT_MS: i64 = 5000;

/// The number of times the transaction is looked for: the list omits one that the server is just checking.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Ends the transaction whose metadata carries `tag`, on another `connection` of the same login, as the same `user` if
/// one was impersonated (users may always end their own transactions). Returns whether there was such a transaction.
///
/// # Errors
/// What broke the connection.
pub async fn terminate(connection: &mut Connection, tag: &str, user: Option<&str>) -> Result<bool, Error> {
    let mut found = find(connection, tag, user).await?;
    for _ in 1..LOOKS {
        // If the list was refused, it will be refused again.
        if found.is_some() || !connection.is_clean() {
            break;
        }
        sleep(BETWEEN_LOOKS).await;
        found = find(connection, tag, user).await?;
    }
    let Some(id) = found else {
        return Ok(false);
    };
    // The identifier has to be a literal in the statement. `find` returns only digits.
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

/// Finds the identifier of the transaction that carries `tag`.
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

/// Finds a column by its name, since columns differ between versions.
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
