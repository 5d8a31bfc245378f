//! Owns defaults that depend on what was set.
//!
//! Promises that setting one key never makes the default of another one a contradiction. May not know how contradictions
//! are found.

use super::{
    effective::Effective,
    keys::{leaf, leaf_mut},
    origin::Origin,
    settings::Settings,
};

/// A default that gives way to a value that was set.
struct Rule {
    /// The key with the default.
    key: &'static str,
    /// The key that was set.
    from: &'static str,
    /// Changes the former as far as the latter requires.
    fit: fn(&mut Settings),
}

const fn rule(key: &'static str, from: &'static str, fit: fn(&mut Settings)) -> Rule {
    Rule { key, from, fit }
}

const RULES: [Rule; 10] = [
    rule("transactions.max", "database.max_connections", |settings| {
        let connections = settings.database.max_connections;
        if settings.transactions.max >= connections {
            settings.transactions.max = connections.halved();
        }
    }),
    rule("database.max_connections", "transactions.max", |settings| {
        let transactions = settings.transactions.max;
        if transactions >= settings.database.max_connections {
            settings.database.max_connections = transactions.doubled();
        }
    }),
    rule("transactions.idle_timeout", "transactions.max_lifetime", |settings| {
        let transactions = &mut settings.transactions;
        transactions.idle_timeout = transactions.idle_timeout.min(transactions.max_lifetime);
    }),
    rule("transactions.max_lifetime", "transactions.idle_timeout", |settings| {
        let transactions = &mut settings.transactions;
        transactions.max_lifetime = transactions.max_lifetime.max(transactions.idle_timeout);
    }),
    rule("idempotency.max_answer", "idempotency.capacity", |settings| {
        let idempotency = &mut settings.idempotency;
        idempotency.max_answer = idempotency.max_answer.min(idempotency.capacity);
    }),
    rule("idempotency.capacity", "idempotency.max_answer", |settings| {
        let idempotency = &mut settings.idempotency;
        idempotency.capacity = idempotency.capacity.max(idempotency.max_answer);
    }),
    rule("limits.body", "limits.body_memory", |settings| {
        let limits = &mut settings.limits;
        limits.body = limits.body.min(limits.body_memory);
    }),
    rule("limits.line", "limits.body_memory", |settings| {
        let limits = &mut settings.limits;
        limits.line = limits.line.min(limits.body_memory);
    }),
    rule("limits.body_memory", "limits.body", |settings| {
        let limits = &mut settings.limits;
        limits.body_memory = limits.body_memory.max(limits.body);
    }),
    rule("limits.body_memory", "limits.line", |settings| {
        let limits = &mut settings.limits;
        limits.body_memory = limits.body_memory.max(limits.line);
    }),
];

impl Effective {
    /// Fits the defaults of the keys that `may` change to the values that were set.
    pub(super) fn derive(&mut self, may: impl Fn(&str) -> bool) {
        let is_default = |origin: &Origin| matches!(origin, Origin::Default | Origin::Derived(_));
        for Rule { key, from, fit } in RULES {
            if !may(key) || !is_default(self.origin(key)) || is_default(self.origin(from)) {
                continue;
            }
            fit(&mut self.settings);
            let fitted = self.settings.table();
            if let (Some(new), Some(old)) = (leaf(&fitted, key), leaf_mut(&mut self.table, key))
                && new != old
            {
                old.clone_from(new);
                self.origins.insert(key.to_owned(), Origin::Derived(from));
            }
        }
    }

    /// Turns derived values of the keys that `may` change back into defaults.
    pub(super) fn underive(&mut self, may: impl Fn(&str) -> bool) {
        let defaults = Settings::default().table();
        self.origins.retain(|key, origin| {
            let goes = matches!(origin, Origin::Derived(_)) && may(key);
            if goes && let (Some(new), Some(old)) = (leaf(&defaults, key), leaf_mut(&mut self.table, key)) {
                old.clone_from(new);
            }
            !goes
        });
    }
}
