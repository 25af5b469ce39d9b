//! A map for few entries, or for numbers that come in their order.

/// Values in the order of the numbers they stand under. What the standard library's maps do better, with many entries in
/// no order, is not needed here; and in a page their code would weigh more than everything in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<V> {
    /// Apart from the values, so that looking for a number is compiled once, whatever stands under it.
    keys: Vec<u32>,
    values: Vec<V>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { keys: Vec::new(), values: Vec::new() }
    }
}

/// The place of `key`, or where it would be.
#[inline(never)]
fn place(keys: &[u32], key: u32) -> Result<usize, usize> {
    // Most often it is the last, or comes behind it.
    match keys.last() {
        Some(last) if *last < key => Err(keys.len()),
        _ => keys.binary_search(&key),
    }
}

impl<V> Table<V> {
    /// What stands under `key`.
    pub fn get(&self, key: u32) -> Option<&V> {
        self.values.get(place(&self.keys, key).ok()?)
    }

    /// What stands under `key`, to change it.
    pub fn get_mut(&mut self, key: u32) -> Option<&mut V> {
        self.values.get_mut(place(&self.keys, key).ok()?)
    }

    /// Whether something stands under `key`.
    pub fn contains(&self, key: u32) -> bool {
        place(&self.keys, key).is_ok()
    }

    /// Puts `value` under `key`; gives what stood there.
    pub fn insert(&mut self, key: u32, value: V) -> Option<V> {
        match place(&self.keys, key) {
            Ok(place) => self.values.get_mut(place).map(|before| std::mem::replace(before, value)),
            Err(place) => {
                self.keys.insert(place, key);
                self.values.insert(place, value);
                None
            }
        }
    }

    /// Takes out what stands under `key`. What stands behind it moves up: of much, take out many at
    /// once ([`remove_range`](Self::remove_range)).
    pub fn remove(&mut self, key: u32) -> Option<V> {
        let place = place(&self.keys, key).ok()?;
        self.keys.remove(place);
        Some(self.values.remove(place))
    }

    /// Takes out what stands under the keys from `first` to before `end`.
    pub fn remove_range(&mut self, first: u32, end: u32) {
        let [from, to] = [first, end].map(|key| place(&self.keys, key).unwrap_or_else(|place| place));
        if from < to {
            self.keys.drain(from..to);
            self.values.drain(from..to);
        }
    }

    /// The entry with the lowest key above `key`.
    pub fn after(&self, key: u32) -> Option<(u32, &V)> {
        let place = place(&self.keys, key).map_or_else(|place| place, |place| place + 1);
        self.at(place)
    }

    /// The entry with the highest key that is not above `key`.
    pub fn up_to(&self, key: u32) -> Option<(u32, &V)> {
        let place = place(&self.keys, key).map_or_else(|place| place.checked_sub(1), Some)?;
        self.at(place)
    }

    /// The entry with the lowest key.
    pub fn first(&self) -> Option<(u32, &V)> {
        self.at(0)
    }

    fn at(&self, place: usize) -> Option<(u32, &V)> {
        Some((*self.keys.get(place)?, self.values.get(place)?))
    }

    /// All keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = u32> {
        self.keys.iter().copied()
    }

    /// All values, by their keys.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.values.iter()
    }

    /// All values, by their keys, to change them.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.values.iter_mut()
    }

    /// All values, by their keys, to keep them.
    pub fn into_values(self) -> std::vec::IntoIter<V> {
        self.values.into_iter()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes out everything.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
    }
}
