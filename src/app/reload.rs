//! Another configuration, or the same one with other calendar files, while the program runs.

use std::sync::Arc;

use crate::app::engine::{Engine, text_of};
use crate::app::follow::Follower;
use crate::clock;
use crate::config::{self, Config};
use crate::ledger::Ledger;

impl Engine {
    /// Takes over what calendar files say now. The sources stay as they are.
    pub(super) fn look_at_calendars(&mut self) {
        if let Some(config) = self.shelf.look(&self.config, clock::now()) {
            self.flush();
            self.put_in_force(Arc::new(config));
        }
        let views = self.shelf.views(&self.config);
        self.shared.edit_own(|own| own.calendars = views);
    }

    /// Loads the configuration again. A bad one leaves the old in force.
    pub(super) fn reload(&mut self) -> Result<String, String> {
        let now = clock::now();
        if let Some(config) = self.shelf.before_load(&self.config, now) {
            self.flush();
            self.put_in_force(Arc::new(config));
        }
        let loaded = config::load_with(&self.shared.config_file, now, &mut self.shelf);
        let outcome = loaded.map_err(|e| e.to_string()).and_then(|c| self.use_config(c));
        self.shelf.settle(&self.config);
        self.shared.edit_own(|own| own.reload_ok = outcome.is_ok());
        match &outcome {
            Ok(_) => {
                self.shared.edit_own(|own| own.reload_at = Some(now));
                tracing::info!(file = %self.shared.config_file.display(), "configuration loaded");
            }
            Err(error) => tracing::error!(%error, "configuration not loaded, the old one stays"),
        }
        outcome
    }

    fn use_config(&mut self, config: Config) -> Result<String, String> {
        let config = Arc::new(config);
        let notify = self.follower.uses_notify();
        self.flush();
        let mut follower = Follower::new(&config, &self.store, &self.shared, notify)?;
        follower.inherit(&self.follower);
        self.follower = follower;
        self.put_in_force(config);
        Ok("configuration loaded".into())
    }

    /// Judges by another agreement from now on. Time that was counted by the old one is kept.
    fn put_in_force(&mut self, config: Arc<Config>) {
        let old = std::mem::replace(&mut self.config, config.clone());
        let keep = |ledger: &mut Ledger| {
            let now = clock::now();
            (ledger.keep_time(&old.policy, now), now)
        };
        let (kept, until) = self.shared.set_config(config, keep);
        self.new_policy = Some(Arc::new(text_of(&self.config)));
        self.draft.keep_time(kept, until);
        self.flush();
        self.draft.set_backfill_horizon(self.config.backfill_horizon);
        self.draft.rejudge(&self.config.policy, clock::now());
    }
}
