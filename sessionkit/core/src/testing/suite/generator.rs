//! Random deltas, the same ones in every run.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::secret;
use crate::record::Record;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::{Authenticate, Delta, FieldOp, HeaderOp, StoredValue};
use crate::record::details::LoginDetails;
use crate::time::Timestamp;

const KEYS: [&str; 7] = ["a", "b", "cart.items", "@user", "!x", "é ", ""];
const VALUES: [&str; 10] = ["", "0", "1", "-7", "9007199254740993", "x", "!c 1", "! ", "{\"a\":[1,2]}", "null"];
const BOUNDS: [(i128, i128); 4] = [(0, 255), (i64::MIN as i128, i64::MAX as i128), (0, u64::MAX as i128), (-100, 100)];
const STEPS: [i128; 9] = [0, 1, -1, 100, -300, 1 << 53, -(1 << 60), u64::MAX as i128, -(u64::MAX as i128)];

/// Marsaglia's xorshift: enough for tests, and the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        // Seeds that are close to each other, or zero, must not give sequences that are.
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    fn seconds(&mut self, end: usize) -> Duration {
        Duration::from_secs(self.below(end) as u64)
    }

    fn key(&mut self) -> &'static str {
        self.pick(&KEYS)
    }

    pub(super) fn value(&mut self, now: Timestamp) -> StoredValue {
        StoredValue {
            bytes: self.pick(&VALUES).as_bytes().to_vec(),
            carried: self.chance(30),
            deadline: self.chance(30).then(|| now.saturating_add(self.seconds(60))),
        }
    }

    /// A delta of which most operations suit the record.
    pub(super) fn delta(&mut self, record: &Record, now: Timestamp) -> Delta {
        let mut delta = Delta::new();
        for _ in 0..self.below(3).saturating_sub(1) {
            self.header_op(&mut delta, record, now);
        }
        for _ in 0..self.below(5) {
            let op = self.field_op(record, now);
            delta.fields.push(op);
        }
        delta
    }

    fn header_op(&mut self, delta: &mut Delta, record: &Record, now: Timestamp) {
        let new = secret(self.below(8) as u8);
        let later = now.saturating_add(self.seconds(200));
        match self.below(9) {
            0 => delta.header.push(HeaderOp::Rotate { secret: new }),
            1 => {
                let authenticate = self.authenticate(now);
                delta.header.extend([HeaderOp::Authenticate(authenticate), HeaderOp::Rotate { secret: new }]);
            }
            2 => {
                let user = self.pick(&["ada", "grace", ""]).into();
                let details = self.details();
                delta.header.extend([HeaderOp::ActAs { user, details }, HeaderOp::Rotate { secret: new }]);
            }
            3 | 4 => {
                let if_current = if self.chance(80) { record.header().secret } else { secret(99) };
                delta.header.push(HeaderOp::Renew { if_current, secret: new, at: now });
            }
            5 | 6 => {
                let if_current = if self.chance(80) { record.header().secret } else { secret(99) };
                delta.header.push(HeaderOp::EndPrevious { if_current, until: later });
            }
            _ => delta.header.push(HeaderOp::Touch { last_seen: now, idle_deadline: later }),
        }
    }

    fn authenticate(&mut self, now: Timestamp) -> Authenticate {
        Authenticate {
            user: self.pick(&["ada", "", "!c 1", "Ада"]).into(),
            at: now,
            ttl: Duration::from_secs(50) + self.seconds(100),
            absolute_deadline: self.chance(50).then(|| now.saturating_add(Duration::from_secs(30) + self.seconds(200))),
            device_label: self.chance(50).then(|| self.pick(&["laptop", "", "@"]).into()),
            details: self.details(),
        }
    }

    fn details(&mut self) -> Option<Arc<LoginDetails>> {
        let methods = self.pick(&[&[][..], &["pwd"], &["pwd", "otp"]]);
        LoginDetails {
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            actor: self.chance(30).then(|| self.pick(&["grace", "", "@"]).into()),
            stamp: self.chance(30).then(|| CredentialStamp::of(self.pick(&["a", "b"]))),
        }
        .shared()
    }

    pub(super) fn field_op(&mut self, record: &Record, now: Timestamp) -> FieldOp {
        let key = self.key().into();
        match self.below(20) {
            0..=5 => FieldOp::Set { key, value: self.value(now) },
            6..=10 => {
                let held = record.field(&key, now).map(|value| value.bytes.to_vec());
                let expected = if self.chance(85) { held } else { Some(self.value(now).bytes) };
                FieldOp::Replace { key, expected, value: self.chance(70).then(|| self.value(now)) }
            }
            11..=13 => FieldOp::Remove { key },
            14..=18 => {
                let (min, max) = self.pick(&BOUNDS);
                FieldOp::Add { key, by: self.pick(&STEPS), min, max, carried: self.chance(30) }
            }
            _ => FieldOp::Clear { keep_carried: self.chance(70) },
        }
    }
}
