//! What is known of each key, and the room that it takes.
//!
//! What has ended stays for `keep`, whatever comes. So room has to be there before anything begins: each request
//! reserves enough for a small answer, and begins only while a largest one would fit. A large answer is kept if it
//! fits when it is ready.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
};

use tokio::time::Instant;

use super::{
    AFTER_ROWS, Kept, Refused, Settings,
    key::{Fingerprint, Key},
};
use crate::auth::{ByIdentity, IdentityKey};

/// What a key takes besides itself and its answer, in bytes: its places in the tables.
const PER_KEY: usize = 512;
/// What a header takes besides its name and value, in bytes.
const PER_HEADER: usize = 128;
/// An answer of this many bytes, with its headers, always finds room. Nearly all writes have smaller ones.
pub(super) const SMALL: usize = 16 * 1024;

/// Whose key, and which.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) owner: IdentityKey,
    pub(super) key: Key,
}

/// What there is of a key that may be used.
pub(super) enum Found {
    /// Its answer.
    Kept(Arc<Kept>),
    /// Nothing; from now on it counts as being carried out.
    Nothing,
}

pub(super) struct Ledger {
    settings: Settings,
    requests: HashMap<Id, Request>,
    /// Those that have ended, the oldest first.
    ended: VecDeque<(Instant, Id)>,
    /// Room taken, in bytes: in all, and by each caller.
    taken: usize,
    taken_by: ByIdentity<usize>,
}

struct Request {
    fingerprint: Fingerprint,
    state: State,
    /// Room that is counted as taken, in bytes.
    room: usize,
}

enum State {
    InFlight,
    Kept(Arc<Kept>),
    /// It has ended, and nobody knows how.
    Lost,
}

impl Ledger {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, requests: HashMap::new(), ended: VecDeque::new(), taken: 0, taken_by: ByIdentity::default() }
    }

    /// What there is of `id`.
    ///
    /// # Errors
    /// [`Refused`], when the key cannot be used.
    pub(super) fn find_or_begin(&mut self, id: &Id, fingerprint: Fingerprint) -> Result<Found, Refused> {
        self.sweep();
        if let Some(request) = self.requests.get(id) {
            return match &request.state {
                _ if request.fingerprint != fingerprint => Err(Refused::KeyReused),
                State::InFlight => Err(Refused::InProgress),
                State::Kept(kept) => Ok(Found::Kept(Arc::clone(kept))),
                State::Lost => Err(Refused::OutcomeUnknown),
            };
        }
        let all = self.settings.capacity;
        let reserve = bare(id) + SMALL;
        // A largest answer may be larger than all the room that a caller has; something has to be able to begin.
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

    /// What has become of the request of `id`; false when there is no room for `kept`, so that only the key is kept.
    pub(super) fn end(&mut self, id: Id, kept: Option<Kept>) -> bool {
        let Some(mut request) = self.requests.remove(&id) else { return false };
        self.give_back(id.owner, request.room);
        let all = self.settings.capacity;
        let kept = kept.filter(|kept| {
            let room = bare(&id) + room(kept);
            // What was reserved has just been given back, so a small answer fits.
            self.taken + room <= all && self.taken_by(id.owner) + room <= all / 2
        });
        request.room = bare(&id) + kept.as_ref().map_or(0, room);
        self.take(id.owner, request.room);
        let fitted = kept.is_some();
        request.state = kept.map_or(State::Lost, |kept| State::Kept(Arc::new(kept)));
        self.requests.insert(id.clone(), request);
        self.ended.push_back((Instant::now(), id));
        fitted
    }

    /// Nothing has become of the request of `id`.
    pub(super) fn forget(&mut self, id: &Id) {
        if let Some(request) = self.requests.remove(id) {
            self.give_back(id.owner, request.room);
        }
    }

    /// Takes out what has been kept for long enough. Each goes once, so that this is cheap on the whole.
    fn sweep(&mut self) {
        let now = Instant::now();
        while let Some((_, id)) = self.ended.pop_front_if(|(ended, _)| now - *ended >= self.settings.keep) {
            self.forget(&id);
        }
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

    /// Room taken, in bytes: in all, and by each caller.
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
fn room(kept: &Kept) -> usize {
    let headers = kept.headers.iter().map(|(name, value)| PER_HEADER + name.as_str().len() + value.len());
    kept.body.len() + headers.sum::<usize>()
}
