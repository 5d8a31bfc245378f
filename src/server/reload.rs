//! Settings that were read again while the gateway runs.
//!
//! Owns the way from new settings to the rooms: everything that SIGHUP takes over is handed over here. Promises that
//! settings which cannot be used change nothing, and that connections and requests under way go on.

use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    StartError, check, check_named,
    connection::Protocols,
    named_queries, settings,
    tls::{Prepared, Tls},
};
use crate::{
    auth::Authenticator,
    config::{Change, ConfigError, Effective, Mistakes, Settings},
    http::Service,
    live::Live,
    query::Engine,
    telemetry::{
        logs::LogControl,
        observer::{Observer, Reloaded},
        spans::Tracer,
    },
};

/// Why settings were not taken over. The old ones stay in force.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The settings, or the files that they name, cannot be used.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// The settings contradict those that stay in force until the next start.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What they name could not be used after all.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Takes over settings that were read again. Clones belong to the same gateway.
#[derive(Clone)]
pub struct Reloader {
    /// Locked during a reload, so that reloads come one after the other.
    parts: Arc<Mutex<Parts>>,
    observer: Arc<dyn Observer>,
}

/// What a reload changes, and what it needs for that.
pub(super) struct Parts {
    /// The settings in force.
    pub(super) settings: Live<Effective>,
    pub(super) log: LogControl,
    pub(super) protocols: Live<Protocols>,
    pub(super) tls: Tls,
    pub(super) authenticator: Authenticator,
    pub(super) engine: Engine,
    pub(super) service: Service,
    pub(super) bolt_port: Option<u16>,
    pub(super) work: TaskTracker,
    pub(super) at_once: CancellationToken,
    /// `None` without a collector.
    pub(super) tracer: Option<Tracer>,
}

impl Reloader {
    /// `observer` learns how each reload went.
    pub(super) fn new(parts: Parts, observer: Arc<dyn Observer>) -> Self {
        Self { parts: Arc::new(Mutex::new(parts)), observer }
    }

    /// Takes over what was read again, as far as it needs no start, and says in the log what changed. Returns whether the
    /// settings are in force. Must be called inside a tokio runtime.
    pub fn reload(&self, read: Result<Effective, Mistakes>) -> bool {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = read.map_err(ReloadError::from).and_then(|newer| parts.take_over(newer));
        let is_taken = taken.is_ok();
        self.observer.reloaded(Reloaded::Settings, is_taken);
        match taken {
            Ok((changed, pending)) => {
                tracing::info!(changed = changed.join(", "), "the settings were reloaded");
                if !pending.is_empty() {
                    tracing::warn!(
                        settings = pending.join(", "),
                        "changed settings wait for the next start of the gateway"
                    );
                }
            }
            Err(error) => tracing::error!(%error, "the settings were not reloaded; the old ones stay in force"),
        }
        is_taken
    }
}

impl Parts {
    /// Puts `newer` settings into force. Returns the keys that changed, and those that need a start.
    fn take_over(&mut self, newer: Effective) -> Result<(Vec<String>, Vec<String>), ReloadError> {
        // What needs a start is checked as well: a gateway that could not start again should say so now.
        Mistakes::refuse([check(&newer), check_named(&newer)].concat())?;
        let Change { settings, changed, pending } = self.settings.get().take_over(newer)?;
        self.apply(&settings.settings)?;
        self.settings.set(settings);
        Ok((changed, pending))
    }

    /// Hands the settings to the rooms. Whatever can fail comes first.
    fn apply(&mut self, settings: &Settings) -> Result<(), StartError> {
        let certificates = settings::tls::settings(&settings.server.tls).map(Prepared::read).transpose()?;
        let queries = named_queries(settings)?;
        let authenticator = self.authenticator.renewed(settings::auth::settings(settings, &queries))?;
        self.log.change(|log| log.clone_from(&settings.log))?;
        self.tls.install(certificates);
        authenticator.warm_up();
        self.authenticator = authenticator;
        self.protocols.set(Protocols::new(settings::connection::timeouts(&settings.server)));
        let pool = self.engine.pool();
        pool.set_dial_limits(settings.database.connect_timeout.get(), settings::bolt::limits(settings));
        pool.set_settings(settings::pool::settings(&settings.database, &settings.limits));
        let engine = self.engine.with_settings(settings::query::settings(settings, self.log.clone()));
        if let Some(tracer) = &self.tracer {
            tracer.settings().set(settings::traces::sampling(&settings.telemetry.otlp));
        }
        if settings.named.directory.is_some() {
            tracing::info!(count = queries.count(), "named queries reloaded");
        }
        let (work, at_once, tracer) = (self.work.clone(), self.at_once.clone(), self.tracer.clone());
        let http = settings::http::settings(settings, self.bolt_port, queries, work, at_once, tracer);
        self.service.update(engine, self.authenticator.clone(), http);
        Ok(())
    }
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader").finish_non_exhaustive()
    }
}
