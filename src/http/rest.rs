//! What is still to come of an answer whose first part has left.

use std::future::pending;

use bytes::Bytes;

use super::{
    encode::{Answer, BatchAnswer},
    refusal::Later,
};
use crate::query::{BatchExecution, Progress, Rows};

/// The rest of an answer. Dropping it cancels the statement.
pub(super) struct Rest {
    stage: Stage,
    verdict: Later,
}

enum Stage {
    /// More is to come.
    Open {
        source: Box<Source>,
        /// There is text that should not wait for more.
        pause: bool,
    },
    /// The last text. Nothing is left of the statement, whether anybody takes the text or not.
    Over(Bytes),
    /// A row was broken off in the middle, so nothing can make the answer whole.
    Torn,
}

enum Source {
    Rows(Rows, Answer),
    Batch(BatchExecution, BatchAnswer, u32),
}

/// What has to be done with the rest of an answer.
pub(super) enum Text {
    /// More follows.
    More(Bytes),
    /// This is all.
    Last(Bytes),
    /// The answer has to be broken off.
    Torn,
}

impl Rest {
    /// The rest of one result.
    pub(super) fn rows(rows: Rows, answer: Answer) -> Self {
        Self::of(Source::Rows(rows, answer))
    }

    /// The rest of a batch that took so many attempts.
    pub(super) fn batch(execution: BatchExecution, answer: BatchAnswer, attempts: u32) -> Self {
        Self::of(Source::Batch(execution, answer, attempts))
    }

    fn of(source: Source) -> Self {
        Self { stage: Stage::Open { source: Box::new(source), pause: true }, verdict: Later::default() }
    }

    /// What will be said of it once it is over.
    pub(super) fn verdict(&self) -> &Later {
        &self.verdict
    }

    /// Takes the text that there is.
    pub(super) fn take(&mut self) -> Text {
        match &mut self.stage {
            Stage::Open { source, pause } => {
                *pause = false;
                Text::More(source.take())
            }
            Stage::Over(text) => Text::Last(std::mem::take(text)),
            Stage::Torn => Text::Torn,
        }
    }

    /// Whether there is text that should be handed over now.
    pub(super) fn is_ready(&self) -> bool {
        match &self.stage {
            Stage::Open { source, pause } => *pause || source.is_worth_taking(),
            Stage::Over(_) | Stage::Torn => true,
        }
    }

    /// Moves the result on as far as that is possible before the text is taken, or waits for its time to be over. The
    /// database is let go of then, whether anybody reads or not. May be dropped before it is ready; nothing is lost by that.
    ///
    /// What the database was asked for is taken from it at once, as long as there is room, so that it need not wait for a
    /// slow reader.
    pub(super) async fn go_on(&mut self) {
        let Stage::Open { source, pause } = &mut self.stage else {
            return pending().await;
        };
        let reads_ahead = !*pause || (source.is_amid_batch() && !source.is_full());
        let over = if reads_ahead {
            let over = source.advance(&self.verdict).await;
            *pause = true;
            over
        } else {
            let over = source.interrupted(&self.verdict).await;
            *pause = over;
            over
        };
        if over {
            self.stage = if source.is_torn() { Stage::Torn } else { Stage::Over(source.take()) };
        }
    }
}

impl Source {
    fn take(&mut self) -> Bytes {
        match self {
            Self::Rows(_, answer) => answer.take(),
            Self::Batch(_, answer, _) => answer.take(),
        }
    }

    fn is_worth_taking(&self) -> bool {
        match self {
            Self::Rows(_, answer) => answer.is_worth_taking(),
            Self::Batch(_, answer, _) => answer.is_worth_taking(),
        }
    }

    /// There is no room for more, or a row is half written.
    fn is_full(&self) -> bool {
        match self {
            Self::Rows(_, answer) => answer.is_full() || answer.is_torn(),
            Self::Batch(_, answer, _) => answer.is_full() || answer.is_torn(),
        }
    }

    fn is_torn(&self) -> bool {
        match self {
            Self::Rows(_, answer) => answer.is_torn(),
            Self::Batch(_, answer, _) => answer.is_torn(),
        }
    }

    fn is_amid_batch(&self) -> bool {
        match self {
            Self::Rows(rows, _) => rows.is_amid_batch(),
            Self::Batch(execution, ..) => execution.is_amid_batch(),
        }
    }

    /// Moves the result on; true when it has ended, one way or the other.
    async fn advance(&mut self, verdict: &Later) -> bool {
        match self {
            Self::Rows(rows, answer) => {
                answer.make_room();
                match rows.advance(answer).await {
                    Ok(Progress::Paused) => return false,
                    Ok(Progress::Done(end)) => answer.close(&end, rows.columns()),
                    Err(error) => {
                        verdict.failed(&error);
                        answer.fail(&error);
                    }
                }
            }
            Self::Batch(execution, answer, attempts) => {
                answer.make_room();
                match execution.advance(answer).await {
                    Ok(None) => return false,
                    Ok(Some(end)) => answer.end(&end, *attempts),
                    Err(failure) => {
                        verdict.failed(&failure.error);
                        answer.fail(&failure);
                    }
                }
            }
        }
        true
    }

    /// Waits until the time of the statement is over or somebody cancels it; false when what becomes of it comes with the
    /// rest of its rows.
    async fn interrupted(&mut self, verdict: &Later) -> bool {
        match self {
            Self::Rows(rows, answer) => match rows.interrupted().await {
                None => return false,
                Some(error) => {
                    verdict.failed(&error);
                    answer.fail(&error);
                }
            },
            Self::Batch(execution, answer, _) => {
                let error = execution.interrupted().await;
                verdict.failed(&error);
                answer.fail(&error.into());
            }
        }
        true
    }
}
