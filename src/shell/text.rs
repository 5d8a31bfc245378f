//! Text from a database on a terminal: what must not reach it, and how wide the rest is.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Stands for what was cut off.
const CUT: char = '…';

/// Writes characters that control a terminal, or the direction of writing, as escapes: a value must not move the cursor,
/// change the title, or look like another one.
pub(super) fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    text.chars().for_each(|character| push(&mut safe, character));
    safe
}

/// As [`harmless`], but keeps the ends of lines.
pub(super) fn harmless_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(harmless).collect();
    lines.join("\n")
}

fn push(safe: &mut String, character: char) {
    match character {
        '\n' | '\t' | '\r' => safe.extend(character.escape_default()),
        // Marks of direction, separators of lines and paragraphs, and the byte order mark.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
        _ if character.is_control() => safe.push_str(&format!("\\u{:04x}", u32::from(character))),
        _ => safe.push(character),
    }
}

/// The columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text that takes more than `columns`, which are at least one.
pub(super) fn cut(text: &mut String, columns: usize) {
    if width(text) <= columns {
        return;
    }
    let mut taken = CUT.width().unwrap_or(1);
    let fits = text.char_indices().find(|(_, character)| {
        taken += character.width().unwrap_or(0);
        taken > columns
    });
    if let Some((end, _)) = fits {
        text.truncate(end);
    }
    text.push(CUT);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_controls_a_terminal_is_written_as_escapes() {
        assert_eq!(harmless("a\n\t\r\u{1b}[31m\u{7}\u{9b}\u{7f}é"), "a\\n\\t\\r\\u001b[31m\\u0007\\u009b\\u007fé");
        assert_eq!(harmless("\u{202e}x\u{2069}\u{feff}\u{2028}"), "\\u202ex\\u2069\\ufeff\\u2028");
        assert_eq!(harmless_lines("a\n\u{1b}b\n"), "a\n\\u001bb");
    }

    #[test]
    fn widths_are_those_of_a_terminal() {
        for (text, columns) in [("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("👩‍🚀", 2)] {
            assert_eq!(width(text), columns, "{text}");
        }
        for (text, columns, cutted) in
            [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"), ("ab", 1, "…")]
        {
            let mut text = text.to_owned();
            cut(&mut text, columns);
            assert_eq!(text, cutted);
        }
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_nothing_harmful_is_left(text in "\\PC{0,20}|[\\x00-\\x1f\u{80}-\u{9f}日é]{0,20}", columns in 1_usize..20) {
            let mut safe = harmless(&text);
            prop_assert!(!safe.chars().any(char::is_control));
            cut(&mut safe, columns);
            prop_assert!(width(&safe) <= columns, "{:?}", safe);
        }
    }
}
