//! How wide the columns of a table are, and the lines that follow from it.

use super::table::Cell;
use crate::shell::text::cut;

/// The least width to which a column is reduced.
const LEAST: usize = 2;
/// What stands between two columns.
const GAP: &str = " | ";
/// The same in the line below the header.
const CROSSING: &str = "-+-";

/// The width of each column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Widths(Vec<usize>);

impl Widths {
    /// The widths at which nothing is cut.
    pub(super) fn of(header: &[Cell], rows: &[Vec<Cell>]) -> Self {
        let mut widths: Vec<usize> = header.iter().map(|cell| cell.width).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width.max(*width);
            }
        }
        Self(widths)
    }

    /// The wider one of both, column by column.
    pub(super) fn or_wider(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| *one.max(other)).collect())
    }

    /// Reduces the widest columns until all fit into `columns`.
    pub(super) fn fitted(self, columns: Option<usize>) -> Self {
        let Some(columns) = columns else { return self };
        let gaps = GAP.len() * self.0.len().saturating_sub(1);
        let room = columns.saturating_sub(gaps);
        if self.0.iter().sum::<usize>() <= room {
            return self;
        }
        // The narrowest first: what they leave over is shared by the rest.
        let mut order: Vec<usize> = self.0.clone();
        order.sort_unstable();
        let (mut left, mut most) = (room, LEAST);
        for (index, width) in order.iter().enumerate() {
            let share = left / (order.len() - index);
            if *width > share {
                most = share.max(LEAST);
                break;
            }
            left -= width;
        }
        Self(self.0.into_iter().map(|width| width.min(most)).collect())
    }

    /// Whether a page that needs `needed` looks as good with these: nothing is cut that a new layout would show.
    pub(super) fn have_room_for(&self, needed: &Self, columns: Option<usize>) -> bool {
        let fits = self.0.iter().zip(&needed.0).all(|(width, needed)| needed <= width);
        fits || needed.or_wider(self).fitted(columns) == *self
    }
}

/// Writes a line of cells. Nothing follows the last one.
pub(super) fn put_line(out: &mut Vec<u8>, cells: &[Cell], widths: &Widths) {
    let begin = out.len();
    for (index, (cell, width)) in cells.iter().zip(&widths.0).enumerate() {
        if index > 0 {
            out.extend_from_slice(GAP.as_bytes());
        }
        let blanks = width.saturating_sub(cell.width);
        if cell.is_number {
            pad(out, b' ', blanks);
        }
        if cell.width > *width {
            let mut text = cell.text.clone();
            cut(&mut text, *width);
            let short = width.saturating_sub(crate::shell::text::width(&text));
            out.extend_from_slice(text.as_bytes());
            pad(out, b' ', short);
        } else {
            out.extend_from_slice(cell.text.as_bytes());
        }
        if !cell.is_number {
            pad(out, b' ', blanks);
        }
    }
    while out.len() > begin && out.last() == Some(&b' ') {
        out.pop();
    }
    out.push(b'\n');
}

/// Writes the line below the header.
pub(super) fn put_rule(out: &mut Vec<u8>, widths: &Widths) {
    for (index, width) in widths.0.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(CROSSING.as_bytes());
        }
        pad(out, b'-', *width);
    }
    out.push(b'\n');
}

fn pad(out: &mut Vec<u8>, byte: u8, count: usize) {
    out.resize(out.len() + count, byte);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn narrow_columns_keep_their_width() {
        for (widths, columns, fitted) in [
            (&[2, 50, 10][..], 40, &[2, 22, 10][..]),
            (&[50, 50], 43, &[20, 20]),
            (&[5, 5], 80, &[5, 5]),
            (&[5, 5], 0, &[2, 2]),
            (&[1, 100], 20, &[1, 16]),
        ] {
            assert_eq!(Widths(widths.to_vec()).fitted(Some(columns)), Widths(fitted.to_vec()));
        }
    }

    proptest! {
        #[test]
        fn fitted_columns_fit_and_none_is_wider_than_it_needs(
            widths in prop::collection::vec(0_usize..200, 1..9),
            columns in 60_usize..200,
        ) {
            let fitted = Widths(widths.clone()).fitted(Some(columns));
            let total = fitted.0.iter().sum::<usize>() + GAP.len() * (widths.len() - 1);
            prop_assert!(total <= columns);
            prop_assert!(fitted.0.iter().zip(&widths).all(|(fitted, needed)| fitted <= needed));
            let is_cut = fitted.0 != widths;
            prop_assert!(!is_cut || total + widths.len() > columns, "no column could be wider");
        }
    }
}
