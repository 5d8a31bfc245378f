//! What is still to come of an answer whose first part has left.

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
    /// More is to come.
    Open {
        source: Box<Source>,
        /// There is text that should not wait for more.
        pause: bool,
    },
    /// The last text. Nothing is left of the statement, whether anybody takes the text or not.
    Over(Bytes, Ending),
}

enum Source {
    Rows(Rows, Answer),
    Batch(BatchExecution, BatchAnswer, u32),
}

/// Some of the text of an answer.
pub(super) enum Text {
    /// More follows.
    More(Bytes),
    /// This is all there is.
    Last(Bytes, Ending),
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
                Text::More(source.answer_mut().take())
            }
            Stage::Over(text, ending) => Text::Last(std::mem::take(text), *ending),
        }
    }

    /// Whether there is text that should be handed over now.
    pub(super) fn is_ready(&self) -> bool {
        match &self.stage {
            Stage::Open { source, pause } => *pause || source.answer().is_worth_taking(),
            Stage::Over(..) => true,
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
        let reads_ahead = !*pause || (source.is_amid_batch() && !source.answer().is_full());
        let ending = if reads_ahead {
            let ending = source.advance(&self.verdict).await;
            *pause = true;
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

    /// Moves the result on; `None` unless it has ended, one way or the other.
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

    /// Waits until the statement's time is up or somebody cancels it. `None` when the outcome comes with the rest of its
    /// rows.
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
