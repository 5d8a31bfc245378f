//! What is still to come of an answer whose first part has left.

use std::future::pending;

use bytes::Bytes;

use super::answer::{Answer, BatchAnswer};
use crate::query::{Progress, Rows, Script};

/// The rest of an answer. Dropping it cancels the statement.
pub(super) struct Rest {
    source: Source,
    /// There is text that should not wait for more.
    pause: bool,
    /// All text is written.
    over: bool,
    /// A row was broken off in the middle, so nothing can make the answer whole.
    torn: bool,
}

enum Source {
    Rows(Rows, Answer),
    Batch(Script, BatchAnswer, u32),
}

impl Rest {
    /// The rest of one result.
    pub(super) fn rows(rows: Rows, answer: Answer) -> Self {
        Self::of(Source::Rows(rows, answer))
    }

    /// The rest of a batch that took so many attempts.
    pub(super) fn batch(script: Script, answer: BatchAnswer, attempts: u32) -> Self {
        Self::of(Source::Batch(script, answer, attempts))
    }

    fn of(source: Source) -> Self {
        Self { source, pause: false, over: false, torn: false }
    }

    /// Takes the text that there is, and makes room for more.
    pub(super) fn take(&mut self) -> Bytes {
        self.pause = false;
        match &mut self.source {
            Source::Rows(_, answer) => answer.take(),
            Source::Batch(_, answer, _) => answer.take(),
        }
    }

    /// Whether there is text that should be handed over now.
    pub(super) fn is_ready(&self) -> bool {
        self.pause
            || self.over
            || match &self.source {
                Source::Rows(_, answer) => answer.is_worth_taking(),
                Source::Batch(_, answer, _) => answer.is_worth_taking(),
            }
    }

    /// Whether the answer is complete, one way or the other, once its text is taken.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether the answer can only be broken off.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
    }

    /// Moves the result on as far as that is possible before the text is taken, or waits for its time to be over. May be
    /// dropped before it is ready; nothing is lost by that.
    pub(super) async fn go_on(&mut self) {
        if self.reads_ahead() {
            self.advance().await;
        } else if self.over {
            pending().await
        } else {
            self.interrupted().await;
        }
    }

    /// Whether to read on before the text is taken: what the database was asked for is taken from it at once, as long as
    /// there is room, so that it need not wait for a slow reader.
    fn reads_ahead(&self) -> bool {
        let (amid_batch, full) = match &self.source {
            Source::Rows(rows, answer) => (rows.is_amid_batch(), answer.is_full() || answer.is_torn()),
            Source::Batch(script, answer, _) => (script.is_amid_batch(), answer.is_full() || answer.is_torn()),
        };
        !self.over && (!self.pause || (amid_batch && !full))
    }

    async fn advance(&mut self) {
        match &mut self.source {
            Source::Rows(rows, answer) => {
                answer.make_room();
                match rows.advance(answer).await {
                    Ok(Progress::Paused) => self.pause = true,
                    Ok(Progress::Done(end)) => {
                        self.over = true;
                        self.torn = answer.is_torn();
                        answer.close(&end, rows.columns());
                    }
                    Err(error) => {
                        self.over = true;
                        self.torn = answer.is_torn();
                        answer.fail(&error);
                    }
                }
            }
            Source::Batch(script, answer, attempts) => {
                answer.make_room();
                match script.advance(answer).await {
                    Ok(None) => self.pause = true,
                    Ok(Some(end)) => {
                        self.over = true;
                        answer.end(&end, *attempts);
                    }
                    Err(failure) => {
                        self.over = true;
                        self.torn = answer.is_torn();
                        answer.fail(&failure);
                    }
                }
            }
        }
    }

    /// Waits, while the text is not taken, until the time of the statement is over or somebody cancels it. The answer ends
    /// with that; the database is let go of at once, whether anybody reads or not.
    async fn interrupted(&mut self) {
        match &mut self.source {
            Source::Rows(rows, answer) => {
                let Some(error) = rows.interrupted().await else {
                    // What became of the statement comes with the rest of its rows.
                    self.pause = false;
                    return;
                };
                self.torn = answer.is_torn();
                answer.fail(&error);
            }
            Source::Batch(script, answer, _) => {
                let error = script.interrupted().await;
                self.torn = answer.is_torn();
                answer.fail(&error.into());
            }
        }
        self.over = true;
    }
}
