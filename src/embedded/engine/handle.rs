//! A handle of the engine, wherever it runs, and the means to stop what it does.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use boltr::server::ResultStream;

use crate::embedded::engine::child::{Child, Process};
use crate::embedded::engine::local::{Local, Run};
use crate::embedded::errors::Failure;

/// A handle: it holds one transaction. The methods are those of [`Local`].
pub(super) enum Handle {
    /// In this process. A statement cannot be stopped.
    Local(Box<Local>),
    /// In a process of its own.
    Child(Child),
}

impl Handle {
    pub(super) fn run(&mut self, run: &Run) -> Result<Option<ResultStream>, Failure> {
        match self {
            Handle::Local(local) => local.run(run),
            Handle::Child(child) => child.run(run),
        }
    }

    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        match self {
            Handle::Local(local) => local.commit(),
            Handle::Child(child) => child.commit(),
        }
    }

    pub(super) fn end(&mut self) {
        match self {
            Handle::Local(local) => local.end(),
            Handle::Child(child) => child.end(),
        }
    }

    pub(super) fn is_usable(&self) -> bool {
        match self {
            Handle::Local(local) => local.is_usable(),
            Handle::Child(child) => child.is_usable(),
        }
    }
}

/// Stops what a transaction does, from elsewhere. Clones stop the same transaction.
#[derive(Debug, Clone, Default)]
pub(in crate::embedded) struct Stop(Arc<Mutex<Stoppable>>);

#[derive(Debug, Default)]
enum Stoppable {
    /// The transaction has no handle, or none that can be stopped.
    #[default]
    Nothing,
    Process(Arc<Process>),
    Stopped,
}

impl Stop {
    /// Ends the process in which the transaction runs, now or as soon as it has one.
    pub(in crate::embedded) fn stop(&self) {
        if let Stoppable::Process(process) = self.replace(Stoppable::Stopped) {
            process.kill();
        }
    }

    /// Lets [`Stop::stop`] stop `handle` from now on.
    ///
    /// # Errors
    /// Returns an error if it has been stopped before.
    pub(super) fn attach(&self, handle: &Handle) -> Result<(), Failure> {
        let stoppable = match handle {
            Handle::Local(_) => Stoppable::Nothing,
            Handle::Child(child) => Stoppable::Process(Arc::clone(child.process())),
        };
        match self.replace(stoppable) {
            Stoppable::Stopped => Err(Failure::terminated()),
            _ => Ok(()),
        }
    }

    /// From now on, [`Stop::stop`] has no effect.
    pub(super) fn detach(&self) {
        self.replace(Stoppable::Nothing);
    }

    fn replace(&self, with: Stoppable) -> Stoppable {
        mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), with)
    }
}
