//! The parameters of all runs of a statement.

/// The parameters of each run, PackStream maps in one buffer. An empty map takes five bytes, so even millions of them
/// are cheap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterSets {
    /// The maps, each preceded by its length.
    maps: Vec<u8>,
    count: usize,
}

/// The size of the length before each map, in bytes.
const LENGTH: usize = 4;

impl ParameterSets {
    /// Creates the parameters of a single run.
    #[must_use]
    pub fn one(map: &[u8]) -> Self {
        let mut runs = Self { maps: Vec::with_capacity(LENGTH + map.len()), count: 0 };
        runs.add(|out| out.extend_from_slice(map));
        runs
    }

    /// Adds a run, whose map `write` appends to the buffer. Returns what `write` returns.
    pub fn add<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let start = self.maps.len();
        self.maps.extend_from_slice(&[0; LENGTH]);
        let written = write(&mut self.maps);
        let length = self.maps.len() - start - LENGTH;
        if let Some(place) = self.maps.get_mut(start..start + LENGTH) {
            place.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        }
        self.count += 1;
        written
    }

    /// The number of runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The size of all maps together, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.maps.len() - LENGTH * self.count
    }

    /// Returns the map of the run at `offset` and the offset of the next run. The first run is at 0; after the last
    /// one, returns `None`.
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<(&[u8], usize)> {
        let (length, rest) = self.maps.get(offset..)?.split_first_chunk::<LENGTH>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        Some((rest.get(..length)?, offset + LENGTH + length))
    }

    /// Iterates over the maps, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut offset = 0;
        std::iter::from_fn(move || {
            let (map, next) = self.at(offset)?;
            offset = next;
            Some(map)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_returned_as_they_were_added() {
        let mut runs = ParameterSets::one(b"\xA0");
        runs.add(|out| out.extend_from_slice(&[7; 300]));
        runs.add(|_| ());
        let maps: Vec<_> = runs.iter().map(<[u8]>::to_vec).collect();
        assert_eq!(maps, [vec![0xA0], vec![7; 300], Vec::new()]);
        assert_eq!((runs.len(), runs.size(), runs.is_empty()), (3, 301, false));
        assert_eq!(ParameterSets::default().at(0), None);
    }
}
