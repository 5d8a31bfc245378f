//! The rest of an answer whose first part has been sent.

use std::future::pending;

use bytes::Bytes;

use super::{
    encode::{Answer, BatchAnswer, Ending},
    verdict::Later,
};
use crate::query::{BatchExecution, Progress, Rows};

/// The rest of an answer. Dropping it cancels the statement.
pub(super) struct Rest {
    stage: Stage,
    verdict: Later,
}

enum Stage {
    /// The statement has not ended.
    Open {
        source: Box<Source>,
        /// Whether the text so far should not wait for more.
        pause: bool,
    },
    /// The statement has ended; this is the last text, whether anybody takes it or not.
    Over(Bytes, Ending),
}

enum Source {
    Rows(Rows, Answer),
    Batch(BatchExecution, BatchAnswer, u32),
}

/// Some of the text of an answer.
pub(super) enum Text {
    /// Text that more text follows.
    More(Bytes),
    /// The last text.
    Last(Bytes, Ending),
}

impl Rest {
    /// The rest of one result.
    pub(super) fn rows(rows: Rows, answer: Answer) -> Self {
        Self::of(Source::Rows(rows, answer))
    }

    /// The rest of a batch that took this many attempts.
    pub(super) fn batch(execution: BatchExecution, answer: BatchAnswer, attempts: u32) -> Self {
        Self::of(Source::Batch(execution, answer, attempts))
    }

    fn of(source: Source) -> Self {
        Self { stage: Stage::Open { source: Box::new(source), pause: true }, verdict: Later::default() }
    }

    /// The verdict, which is known once the answer has ended.
    pub(super) fn verdict(&self) -> &Later {
        &self.verdict
    }

    /// Takes the text so far.
    pub(super) fn take(&mut self) -> Text {
        match &mut self.stage {
            Stage::Open { source, pause } => {
                *pause = false;
                Text::More(source.answer_mut().take())
            }
            Stage::Over(text, ending) => Text::Last(std::mem::take(text), *ending),
        }
    }

    /// Whether there is text that should be sent now.
    pub(super) fn is_ready(&self) -> bool {
        match &self.stage {
            Stage::Open { source, pause } => *pause || source.answer().is_worth_taking(),
            Stage::Over(..) => true,
        }
    }

    /// Moves the result on as far as possible before the text is taken, or waits until the statement's time is up,
    /// which releases the database whether anybody reads or not. May be dropped before it is ready without losing
    /// anything.
    ///
    /// Rows that the database was asked for are received at once, as long as there is room, so that the database need
    /// not wait for a slow reader.
    pub(super) async fn proceed(&mut self) {
        let Stage::Open { source, pause } = &mut self.stage else {
            return pending().await;
        };
        let reads_ahead = !*pause || (source.is_amid_batch() && !source.answer().is_full());
        let ending = if reads_ahead {
            let ending = source.advance(&self.verdict).await;
            // A format that gathers rows may have nothing to send yet, and then there is nothing to pause for.
            *pause = source.answer().has_text();
            ending
        } else {
            let ending = source.interrupted(&self.verdict).await;
            *pause = ending.is_some();
            ending
        };
        if let Some(ending) = ending {
            self.stage = Stage::Over(source.answer_mut().take(), ending);
        }
    }
}

impl Source {
    fn answer(&self) -> &Answer {
        match self {
            Self::Rows(_, answer) => answer,
            Self::Batch(_, batch, _) => batch.answer(),
        }
    }

    fn answer_mut(&mut self) -> &mut Answer {
        match self {
            Self::Rows(_, answer) => answer,
            Self::Batch(_, batch, _) => batch.answer_mut(),
        }
    }

    fn is_amid_batch(&self) -> bool {
        match self {
            Self::Rows(rows, _) => rows.is_amid_batch(),
            Self::Batch(execution, ..) => execution.is_amid_batch(),
        }
    }

    /// Moves the result on. Returns `None` unless the answer has ended.
    async fn advance(&mut self, verdict: &Later) -> Option<Ending> {
        self.answer_mut().make_room();
        match self {
            Self::Rows(rows, answer) => match rows.advance(answer).await {
                Ok(Progress::Paused) => None,
                Ok(Progress::Done(end)) => Some(answer.end(&end, rows.columns())),
                Err(error) => {
                    verdict.failed(&error);
                    Some(answer.fail(&error, None))
                }
            },
            Self::Batch(execution, batch, attempts) => match execution.advance(batch).await {
                Ok(None) => None,
                Ok(Some(end)) => {
                    batch.end(&end, *attempts);
                    Some(Ending::Complete)
                }
                Err(failure) => {
                    verdict.failed(&failure.error);
                    Some(batch.fail(&failure))
                }
            },
        }
    }

    /// Waits until the statement's time is up or somebody cancels it. Returns `None` if the outcome comes with the rest
    /// of the rows.
    async fn interrupted(&mut self, verdict: &Later) -> Option<Ending> {
        match self {
            Self::Rows(rows, answer) => {
                let error = rows.interrupted().await?;
                verdict.failed(&error);
                Some(answer.fail(&error, None))
            }
            Self::Batch(execution, batch, _) => {
                let error = execution.interrupted().await;
                verdict.failed(&error);
                Some(batch.fail(&error.into()))
            }
        }
    }
}
