//! Random deltas against the reference.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::fixture::{NOW, Session, record, secret};
use super::generator::Random;
use super::seen::{Seen, SeenRecord};
use crate::record::Record;
use crate::record::header::{Generation, Header};
use crate::store::Store;

/// Several hundred random deltas, some of them stale, late or conflicting, do what [`Record::apply`] does: the same
/// outcome, the same receipt, the same record in a conflict, and the same record afterwards.
pub async fn random_deltas_do_what_the_reference_does<S: Store>(store: Arc<S>) {
    let mut met = BTreeMap::new();
    for seed in 0..40 {
        one_session(&store, seed, &mut met).await;
    }
    // Otherwise the generator no longer makes what the check is about.
    for outcome in ["Committed", "Conflict", "Stale", "Gone", "Failed"] {
        assert!(met.get(outcome).is_some_and(|times| *times >= 5), "too few of one outcome: {met:?}");
    }
}

async fn one_session<S: Store>(store: &Arc<S>, seed: u64, met: &mut BTreeMap<String, usize>) {
    let mut random = Random::new(seed);
    let absolute = random.chance(50).then_some(Duration::from_secs(900));
    let mut now = NOW;
    let mut model = record(
        Header::new(secret(0), now, Duration::from_secs(120), absolute),
        [("a", random.value(now)), ("b", random.value(now)), ("!x", random.value(now))],
    );
    let session = Session::of(store, &model).await;
    for step in 0..25 {
        now = now.saturating_add(Duration::from_secs(random.below(20) as u64));
        let current = model.header().generation;
        let generation =
            if random.chance(93) { current } else { Generation::from_number(current.number().wrapping_sub(1)) };
        let delta = random.delta(&model, now);
        let expected = Seen::commit(model.apply(generation, &delta, now));
        let found = Seen::commit(session.try_commit(generation.number(), &delta, now).await);
        let values: Vec<_> = delta.fields.iter().map(|op| format!("{op:?}")).collect();
        let place = format!("seed {seed}, step {step}: {:?} {values:#?} at {now}", delta.header);
        assert_eq!(found, expected, "another outcome than the reference's: {place}");
        *met.entry(format!("{found:?}").split([' ', '(']).next().unwrap_or_default().to_owned()).or_default() += 1;
        // As every store does, the model keeps times as the packed header does.
        model = Record::from_bytes(&model.to_bytes()).expect("the reference packs what it unpacks");
        let alive = (!model.header().is_expired(now)).then(|| SeenRecord::of(&model));
        let loaded = session.load(now).await.as_ref().map(SeenRecord::of);
        assert_eq!(loaded, alive, "another record than the reference's: {place}");
        if alive.is_none() {
            return;
        }
    }
}
