//! How a network comes back after all its troubles.

use touchmark_wire::ids::Timestamp;

/// Views within which a network that was mended has to finalize something new.
pub(crate) const VIEWS: u64 = 10;

/// What happened since everything was mended.
pub(crate) struct Healing {
    pub(crate) since: Timestamp,
    /// The number of the furthest view of an honest member then.
    view: Option<u64>,
    /// The batches that were final then.
    batches: usize,
    /// Views to the first batch after it.
    pub(crate) resumed: Option<u64>,
    /// Views until every honest member had one.
    pub(crate) caught_up: Option<u64>,
}

impl Healing {
    pub(crate) const fn begun(since: Timestamp) -> Self {
        Self { since, view: None, batches: 0, resumed: None, caught_up: None }
    }

    /// The furthest view and the length of the log, as they are now. Returns the length from which
    /// on batches are new.
    pub(crate) fn see(&mut self, view: u64, batches: usize) -> usize {
        if self.view.is_none() {
            (self.view, self.batches) = (Some(view), batches);
        }
        self.batches
    }

    /// A new batch was proposed in this view.
    pub(crate) fn resume(&mut self, view: u64) {
        self.resumed.get_or_insert(self.passed(view));
    }

    /// Every honest member has a new batch, and this is the furthest view.
    pub(crate) fn catch_up(&mut self, view: u64) {
        self.caught_up.get_or_insert(self.passed(view));
    }

    /// Whether the first new batch came late, or is late in this view.
    pub(crate) fn is_late(&self, view: u64) -> bool {
        self.resumed.unwrap_or_else(|| self.passed(view)) > VIEWS
    }

    fn passed(&self, view: u64) -> u64 {
        view.saturating_sub(self.view.unwrap_or(view))
    }
}
