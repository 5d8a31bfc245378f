//! The matrix in Markdown, with what was found.

use super::{play::Played, stand::Stand, table::Told};

pub fn show(stand: &Stand, played: &Played) -> String {
    let mut out = format!("### {}\n\n", stand.name);
    out.push_str("| mode | request | before | sent | answered | within | behind |\n|---|---|---|---|---|---|---|\n");
    for mode in &stand.modes {
        for (row, (request, cells)) in mode.rows.iter().enumerate() {
            let mut line = format!("| {} | {request} |", mode.name);
            for (column, cell) in cells.iter().enumerate() {
                let found = played.found.get(&(mode.name, row, column)).into_iter().flatten();
                let found: Vec<_> = found.map(i64::to_string).collect();
                line.push_str(&format!(" {}: {} |", told(cell.told), found.join(", ")));
            }
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

fn told(told: Told) -> &'static str {
    match told {
        Told::Done => "done",
        Told::DoneAgain => "done, tried again",
        Told::Open => "done, still open",
        Told::Statement => "statement not known",
        Told::Commit => "commit not known",
        Told::RolledBack => "rolled back",
        Told::Unavailable => "not begun",
    }
}
