//! The parameters of a statement's runs.

/// A PackStream map for each run, all in one piece: a list of millions of empty maps takes no more than five bytes for
/// each of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterSets {
    /// Each map behind its length.
    maps: Vec<u8>,
    count: usize,
}

/// Bytes of the length before each map.
const LENGTH: usize = 4;

impl ParameterSets {
    /// One run with these parameters.
    #[must_use]
    pub fn one(map: &[u8]) -> Self {
        let mut runs = Self { maps: Vec::with_capacity(LENGTH + map.len()), count: 0 };
        runs.add(|out| out.extend_from_slice(map));
        runs
    }

    /// Adds a run, whose map `write` appends. What it gives is given back.
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

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of all maps together.
    #[must_use]
    pub fn size(&self) -> usize {
        self.maps.len() - LENGTH * self.count
    }

    /// The map of the run that begins at `offset`, and where the next one begins. The first begins at 0; behind the last
    /// there is `None`.
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<(&[u8], usize)> {
        let (length, rest) = self.maps.get(offset..)?.split_first_chunk::<LENGTH>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        Some((rest.get(..length)?, offset + LENGTH + length))
    }

    /// All maps, in order.
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
    fn maps_come_out_as_they_went_in() {
        let mut runs = ParameterSets::one(b"\xA0");
        runs.add(|out| out.extend_from_slice(&[7; 300]));
        runs.add(|_| ());
        let maps: Vec<_> = runs.iter().map(<[u8]>::to_vec).collect();
        assert_eq!(maps, [vec![0xA0], vec![7; 300], Vec::new()]);
        assert_eq!((runs.len(), runs.size(), runs.is_empty()), (3, 301, false));
        assert_eq!(ParameterSets::default().at(0), None);
    }
}
