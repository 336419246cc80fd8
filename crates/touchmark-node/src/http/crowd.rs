//! How many there are at once, of each source.

use super::source::Source;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts what is there now; bounded in all, and for each source.
pub(crate) struct Crowd {
    present: Mutex<Present>,
    limit: usize,
    of_source: usize,
}

#[derive(Default)]
struct Present {
    total: usize,
    of_source: BTreeMap<Source, usize>,
}

/// A place in a crowd; dropping it leaves.
pub(crate) struct Member {
    crowd: Arc<Crowd>,
    source: Source,
}

/// Why there is no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Full {
    /// There are too many.
    Everywhere,
    /// There are too many of this source.
    OfSource,
}

impl Crowd {
    pub(crate) fn new(limit: usize, of_source: usize) -> Arc<Self> {
        Arc::new(Self { present: Mutex::default(), limit, of_source })
    }

    pub(crate) fn enter(self: &Arc<Self>, source: Source) -> Result<Member, Full> {
        let mut present = self.lock();
        if present.total >= self.limit {
            return Err(Full::Everywhere);
        }
        let count = present.of_source.entry(source).or_default();
        if *count >= self.of_source {
            return Err(Full::OfSource);
        }
        *count += 1;
        present.total += 1;
        Ok(Member { crowd: self.clone(), source })
    }

    /// A place for a proxy, which stands for many sources.
    pub(crate) fn enter_as_proxy(self: &Arc<Self>, proxy: Source) -> Result<Member, Full> {
        let mut present = self.lock();
        if present.total >= self.limit {
            return Err(Full::Everywhere);
        }
        *present.of_source.entry(proxy).or_default() += 1;
        present.total += 1;
        Ok(Member { crowd: self.clone(), source: proxy })
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        // The counts hold whatever else a holder of the lock did.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut present = self.crowd.lock();
        present.total -= 1;
        if let Some(count) = present.of_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                present.of_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn one_source_cannot_take_every_place_and_places_come_back() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        let (a, b) = (source("192.0.2.1"), source("192.0.2.2"));
        let crowd = Crowd::new(3, 2);
        let first = crowd.enter(a).ok().unwrap();
        let _second = crowd.enter(a).ok().unwrap();
        assert_eq!(crowd.enter(a).err(), Some(Full::OfSource));
        let third = crowd.enter(b).ok().unwrap();
        assert_eq!(crowd.enter(b).err(), Some(Full::Everywhere));
        drop((first, third));
        assert_eq!(crowd.len(), 1);
        assert!(crowd.enter(a).is_ok());
        assert_eq!(crowd.lock().of_source.len(), 1, "who left is not remembered");
    }
}
