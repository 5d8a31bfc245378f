//! The matrix in Markdown, with what was found.

use super::{
    play::Played,
    stand::Stand,
    table::{Mode, Told},
};

/// One table for all parts.
pub fn show(parts: &[Stand], played: &[Played]) -> String {
    let mut out = format!("### {}\n\n", parts[0].name);
    out.push_str("| mode | request | before | sent | answered | within | behind |\n|---|---|---|---|---|---|---|\n");
    for (part, played) in parts.iter().zip(played) {
        part.modes.iter().for_each(|mode| out.push_str(&lines(mode, played)));
    }
    out
}

fn lines(mode: &Mode, played: &Played) -> String {
    let mut lines = String::new();
    for (row, (request, cells)) in mode.rows.iter().enumerate() {
        lines.push_str(&format!("| {} | {request} |", mode.name));
        for (column, cell) in cells.iter().enumerate() {
            let found = played.found.get(&(mode.name, row, column)).into_iter().flatten();
            let found: Vec<_> = found.map(i64::to_string).collect();
            lines.push_str(&format!(" {}: {} |", told(cell.told), found.join(", ")));
        }
        lines.push('\n');
    }
    lines
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
