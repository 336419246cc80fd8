//! Views counted over all terms: in each the engine begins anew.

use touchmark_batch::Batch;
use touchmark_engine::{Status, simulation};

/// The last view that was seen of each term.
#[derive(Default)]
pub(crate) struct Views(Vec<u64>);

impl Views {
    /// A member is here. Returns the number of its view.
    pub(crate) fn see(&mut self, status: &Status) -> u64 {
        let place = status.term as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        // Who is late in a term that others have left has no news of it.
        if place + 1 == self.0.len() {
            self.0[place] = self.0[place].max(status.view);
        }
        self.number(status.term, status.view)
    }

    /// The number of the view in which a batch was proposed.
    pub(crate) fn of(&self, batch: &std::sync::Arc<Batch>) -> u64 {
        self.number(batch.height().term().0, simulation::view(batch))
    }

    fn number(&self, term: u64, view: u64) -> u64 {
        let before = self.0.iter().take(term as usize);
        before.sum::<u64>() + view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_go_on_from_term_to_term() {
        let mut views = Views::default();
        let mut see = |term, view| views.see(&Status { term, view, ..Status::default() });
        assert_eq!([see(0, 3), see(0, 7), see(0, 5)], [3, 7, 5]);
        assert_eq!([see(1, 0), see(1, 2), see(0, 9), see(1, 3)], [7, 9, 9, 10]);
    }
}
