//! What is known of each key, and the room that it takes.
//!
//! A request that has ended is remembered for `keep`, without exception. So room has to be found before a request
//! starts: each reserves enough for a small answer, and starts only while the largest one would fit. A large answer is
//! stored if it fits when it is ready.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
};

use tokio::time::Instant;

use super::{
    AFTER_ROWS, Answer, Refused, Settings,
    key::{Fingerprint, Key},
};
use crate::auth::{ByIdentity, IdentityKey};

/// The overhead of a key, in bytes: its entries in the tables.
const PER_KEY: usize = 512;
/// The overhead of a header, in bytes.
const PER_HEADER: usize = 128;
/// An answer of this many bytes, with its headers, always finds room. Nearly all writes have smaller ones.
pub(super) const SMALL: usize = 16 * 1024;

/// A caller's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) owner: IdentityKey,
    pub(super) key: Key,
}

/// What is known of a key that can be used.
pub(super) enum Found {
    /// The answer to its request.
    Stored(Arc<Answer>),
    /// Nothing; from now on its request counts as being carried out.
    Nothing,
}

pub(super) struct Ledger {
    settings: Settings,
    requests: HashMap<Id, Request>,
    /// The requests that have ended, the oldest first.
    ended: VecDeque<(Instant, Id)>,
    /// The room taken in all, in bytes.
    taken: usize,
    /// The room taken by each caller, in bytes.
    taken_by: ByIdentity<usize>,
}

struct Request {
    fingerprint: Fingerprint,
    state: State,
    /// The room that is counted for it, in bytes.
    room: usize,
}

enum State {
    InFlight,
    Stored(Arc<Answer>),
    /// It has ended, and its outcome is not known.
    Lost,
}

impl Ledger {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, requests: HashMap::new(), ended: VecDeque::new(), taken: 0, taken_by: ByIdentity::default() }
    }

    /// Finds the answer to the request of `id`, or notes that it is being carried out.
    ///
    /// # Errors
    /// [`Refused`] when the key cannot be used.
    pub(super) fn find_or_begin(&mut self, id: &Id, fingerprint: Fingerprint) -> Result<Found, Refused> {
        self.sweep();
        if let Some(request) = self.requests.get(id) {
            return match &request.state {
                _ if request.fingerprint != fingerprint => Err(Refused::KeyReused),
                State::InFlight => Err(Refused::InProgress),
                State::Stored(answer) => Ok(Found::Stored(Arc::clone(answer))),
                State::Lost => Err(Refused::OutcomeUnknown),
            };
        }
        let all = self.settings.capacity;
        let reserve = bare(id) + SMALL;
        // The largest answer may be larger than all the room of a caller; some requests must be able to start anyway.
        let largest = bare(id) + self.settings.max_answer.saturating_add(AFTER_ROWS).min(all / 4);
        let needed = largest.max(reserve);
        if self.taken + needed > all {
            return Err(Refused::StoreFull);
        }
        if self.taken_by(id.owner) + needed > all / 2 {
            return Err(Refused::CallerFull);
        }
        self.take(id.owner, reserve);
        self.requests.insert(id.clone(), Request { fingerprint, state: State::InFlight, room: reserve });
        Ok(Found::Nothing)
    }

    /// Notes that the request of `id` has ended. Returns `false` if only the key was stored, because there was no
    /// answer or no room for it.
    pub(super) fn end(&mut self, id: Id, answer: Option<&Arc<Answer>>) -> bool {
        let Some(mut request) = self.requests.remove(&id) else { return false };
        self.give_back(id.owner, request.room);
        let all = self.settings.capacity;
        let answer = answer.filter(|answer| {
            let room = bare(&id) + room(answer);
            // The reserved room has just been given back, so a small answer fits.
            self.taken + room <= all && self.taken_by(id.owner) + room <= all / 2
        });
        request.room = bare(&id) + answer.map_or(0, |answer| room(answer));
        self.take(id.owner, request.room);
        request.state = answer.map_or(State::Lost, |answer| State::Stored(Arc::clone(answer)));
        self.requests.insert(id.clone(), request);
        self.ended.push_back((Instant::now(), id));
        answer.is_some()
    }

    /// Removes everything about the request of `id`.
    pub(super) fn forget(&mut self, id: &Id) {
        if let Some(request) = self.requests.remove(id) {
            self.give_back(id.owner, request.room);
        }
    }

    /// Removes requests that have been stored for long enough. Each is removed once, so this is cheap on average.
    fn sweep(&mut self) {
        let now = Instant::now();
        while let Some((_, id)) = self.ended.pop_front_if(|(ended, _)| now - *ended >= self.settings.keep) {
            self.forget(&id);
        }
    }

    /// The room taken in all, in bytes.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    fn taken_by(&self, owner: IdentityKey) -> usize {
        self.taken_by.get(&owner).copied().unwrap_or_default()
    }

    fn take(&mut self, owner: IdentityKey, room: usize) {
        self.taken += room;
        *self.taken_by.entry(owner).or_default() += room;
    }

    fn give_back(&mut self, owner: IdentityKey, room: usize) {
        self.taken -= room;
        if let Entry::Occupied(mut by_owner) = self.taken_by.entry(owner) {
            *by_owner.get_mut() -= room;
            if *by_owner.get() == 0 {
                by_owner.remove();
            }
        }
    }

    /// The room taken in all and by each caller, in bytes.
    #[cfg(test)]
    pub(super) fn room_taken(&self) -> (usize, Vec<usize>) {
        (self.taken, self.taken_by.values().copied().collect())
    }
}

/// The room that a key takes without its answer, in bytes.
fn bare(id: &Id) -> usize {
    PER_KEY + id.key.len()
}

/// The room that an answer takes, in bytes.
fn room(answer: &Answer) -> usize {
    let headers = answer.headers.iter().map(|(name, value)| PER_HEADER + name.as_str().len() + value.len());
    answer.body.len() + headers.sum::<usize>()
}
