use sessionkit::{AuditEntry, AuditSink};

fn main() {
    let _ = AuditSink::new(|entries: &[AuditEntry]| println!("{entries:?}"));
}
