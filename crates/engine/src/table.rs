//! A map for few entries, or for keys that come and go in their order.

use std::collections::VecDeque;

/// Entries in the order of their keys, in one piece of memory. What the standard library's maps do better, with many
/// entries in no order, is not needed here; and in a page their code would weigh more than everything in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<K, V>(VecDeque<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Ord + Copy, V> Table<K, V> {
    /// The place of `key`, or where it would be.
    fn place(&self, key: K) -> Result<usize, usize> {
        // Most often it is the last, or comes behind it.
        match self.0.back() {
            None => Err(0),
            Some((last, _)) if *last < key => Err(self.0.len()),
            Some(_) => self.0.binary_search_by(|(known, _)| known.cmp(&key)),
        }
    }

    /// What stands under `key`.
    pub fn get(&self, key: K) -> Option<&V> {
        self.0.get(self.place(key).ok()?).map(|(_, value)| value)
    }

    /// What stands under `key`, to change it.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Whether something stands under `key`.
    pub fn contains(&self, key: K) -> bool {
        self.place(key).is_ok()
    }

    /// Puts `value` under `key`; gives what stood there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(key) {
            Ok(place) => self.0.get_mut(place).map(|(_, before)| std::mem::replace(before, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes out what stands under `key`.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let place = self.place(key).ok()?;
        self.0.remove(place).map(|(_, value)| value)
    }

    /// Takes out the entry with the lowest key.
    pub fn pop(&mut self) -> Option<(K, V)> {
        self.0.pop_front()
    }

    /// Keeps those for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut V) -> bool) {
        self.0.retain_mut(|(_, value)| keep(value));
    }

    /// The entry with the lowest key above `key`.
    pub fn after(&self, key: K) -> Option<(K, &V)> {
        let place = self.place(key).map_or_else(|place| place, |place| place + 1);
        self.0.get(place).map(|(key, value)| (*key, value))
    }

    /// The entry with the highest key that is not above `key`.
    pub fn up_to(&self, key: K) -> Option<(K, &V)> {
        let place = self.place(key).map_or_else(|place| place.checked_sub(1), Some)?;
        self.0.get(place).map(|(key, value)| (*key, value))
    }

    /// All entries, by their keys.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    /// All values, by their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// All values, by their keys, to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// The first value that `fits`, to change it.
    pub fn find_mut(&mut self, mut fits: impl FnMut(&V) -> bool) -> Option<&mut V> {
        self.0.iter_mut().map(|(_, value)| value).find(|value| fits(value))
    }

    /// All values, by their keys, to keep them.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
