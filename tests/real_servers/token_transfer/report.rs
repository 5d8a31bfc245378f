//! What customers were told, and whether the books agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::bank::{ACCOUNTS, Audit, Order, TOKENS};

#[derive(Debug, Default)]
pub struct Report {
    /// Answered with success.
    pub done: Vec<Order>,
    /// Rolled back by the customer, since there were too few tokens.
    pub declined: Vec<String>,
    /// Refused, for good.
    pub given_up: Vec<String>,
    /// Nobody could say.
    pub unknown: Vec<String>,
    /// Requests that their client has left.
    pub dropped: usize,
    /// Transactions that their client has left.
    pub abandoned: usize,
    /// Answers that came a second time.
    pub replayed: usize,
    /// Refusals after which the transfer was retried.
    pub refusals: BTreeMap<String, usize>,
}

impl Report {
    /// Takes another's report over.
    pub fn add(&mut self, other: Self) {
        self.done.extend(other.done);
        self.declined.extend(other.declined);
        self.given_up.extend(other.given_up);
        self.unknown.extend(other.unknown);
        self.dropped += other.dropped;
        self.abandoned += other.abandoned;
        self.replayed += other.replayed;
        for (code, count) in other.refusals {
            *self.refusals.entry(code).or_default() += count;
        }
    }

    /// Everything that was to happen did.
    pub fn saw_a_storm(&self) {
        let others = self.declined.len() + self.given_up.len() + self.unknown.len();
        assert!(self.done.len() > others, "most transfers get through: {self}");
        assert!(self.dropped > 0 && self.replayed > 0, "clients come and go: {self}");
    }

    /// The books say what customers were told.
    pub fn agrees_with(&self, audit: &Audit) {
        let ids: Vec<_> = audit.ledger.iter().map(|(id, ..)| id.as_str()).collect();
        let found: BTreeSet<_> = ids.iter().copied().collect();
        let twice: Vec<_> = found.iter().filter(|id| ids.iter().filter(|other| other == id).count() > 1).collect();
        assert!(twice.is_empty(), "carried out twice: {twice:?}");
        let lost: Vec<_> = self.done.iter().filter(|order| !found.contains(order.id.as_str())).collect();
        assert!(lost.is_empty(), "answered with success, and not there: {lost:?}");
        let known: BTreeSet<_> = self.done.iter().map(|order| &order.id).chain(&self.unknown).collect();
        let made: Vec<_> = ids.iter().filter(|id| !known.contains(&(**id).to_owned())).collect();
        assert!(made.is_empty(), "refused, and there all the same: {made:?}");
        for order in &self.done {
            let entry = audit.ledger.iter().find(|(id, ..)| *id == order.id).expect("it is there");
            let asked = (order.id.clone(), order.from as i64, order.to as i64, order.amount);
            assert_eq!(*entry, asked);
        }

        let mut expected: BTreeMap<i64, i64> = (0..ACCOUNTS as i64).map(|account| (account, TOKENS)).collect();
        for (_, from, to, amount) in &audit.ledger {
            *expected.entry(*from).or_default() -= amount;
            *expected.entry(*to).or_default() += amount;
        }
        assert_eq!(audit.balances, expected, "balances are what the ledger says");
        assert_eq!(audit.balances.values().sum::<i64>(), ACCOUNTS as i64 * TOKENS, "tokens are neither lost nor made");
        assert!(audit.balances.values().all(|balance| *balance >= 0), "{:?}", audit.balances);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, declined, given_up, unknown, dropped, abandoned, replayed, refusals } = self;
        write!(f, "{} done, {} declined, {} given up, ", done.len(), declined.len(), given_up.len())?;
        write!(f, "{} unknown; {dropped} requests and {abandoned} transactions left, ", unknown.len())?;
        write!(f, "{replayed} answers replayed, refused and tried again: {refusals:?}")
    }
}
