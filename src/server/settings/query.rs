//! Settings of the engine.

use crate::{
    config::{self, DatabaseAlias},
    query::{Alias, Aliases, ResultLimits, Retry, Settings, TransactionSettings},
    telemetry::logs::LogControl,
};

pub(in crate::server) fn settings(settings: &config::Settings, log: LogControl) -> Settings {
    let database = &settings.database;
    let transactions = &settings.transactions;
    let termination_grace = database.termination_grace.get();
    let alias = |alias: &DatabaseAlias| Alias { name: alias.name.clone(), target: alias.target.clone() };
    Settings {
        max_execution_time: database.max_execution_time.get(),
        termination_grace,
        result: ResultLimits { rows: settings.limits.result_rows.get(), bytes: settings.limits.result_bytes.get() },
        transactions: TransactionSettings {
            max: transactions.max.get(),
            share: transactions.caller_share.of(transactions.max.get()),
            idle_timeout: transactions.idle_timeout.get(),
            max_lifetime: transactions.max_lifetime.get(),
            grace: termination_grace,
        },
        aliases: Aliases::new(database.aliases.iter().map(alias).collect()),
        log,
        instance: settings.server.instance.clone(),
    }
}

/// How transactions are retried unless a request says so itself.
pub(super) fn retry(retry: &config::Retry) -> Retry {
    Retry {
        max_time: retry.max_time.get(),
        initial_delay: retry.initial_delay.get(),
        multiplier: retry.multiplier.get(),
        jitter: retry.jitter.get(),
    }
}
