//! Stamps that have two readings are settled by what is on record: in memory, or in the store for what is older.

use crate::app::engine::Engine;
use crate::app::intake::Batch;
use crate::ledger::settling::Readings;
use crate::ledger::told::Mark;
use crate::ledger::{Draft, Taking};
use crate::policy::Policy;
use crate::store::{Store, StoreError};
use crate::time::Instant;

/// What is on record, and the lines that are about to be.
pub struct OnRecord<'a> {
    policy: &'a Policy,
    draft: &'a Draft,
    store: &'a Store,
    readings: Readings,
    error: Option<StoreError>,
}

impl<'a> OnRecord<'a> {
    pub fn new(policy: &'a Policy, draft: &'a Draft, store: &'a Store) -> OnRecord<'a> {
        OnRecord { policy, draft, store, readings: Readings::default(), error: None }
    }

    /// See [`Readings::settle`].
    pub fn settle(&mut self, before: &[Taking], taking: &mut Taking) {
        let partner = taking.partner.clone();
        let (draft, store, error) = (self.draft, self.store, &mut self.error);
        let on_record = &mut |mark: &Mark| match draft.knows(&partner, mark) {
            Some(known) => known,
            None => store.reader().was_told(&partner, *mark).unwrap_or_else(|trouble| {
                error.get_or_insert(trouble);
                false
            }),
        };
        self.readings.settle(self.policy, before, taking, on_record);
    }

    /// What kept the store from answering.
    pub fn error(self) -> Option<StoreError> {
        self.error
    }
}

impl Engine {
    /// What is ready to be judged.
    ///
    /// # Errors
    /// The ledger cannot be asked whether an old line is on record.
    pub(super) fn take_batch(&mut self, now: Instant) -> Result<Batch, StoreError> {
        let mut record = OnRecord::new(&self.config.policy, &self.draft, &self.store);
        let settle = &mut |before: &[Taking], taking: &mut Taking| record.settle(before, taking);
        let batch = self.follower.take(now, self.shared.is_ready(), settle);
        record.error().map_or(Ok(batch), Err)
    }
}
