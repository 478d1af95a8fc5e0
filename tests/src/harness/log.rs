//! The log of the test process, which tests search for secrets.

use std::fmt::{Debug, Write as _};
use std::sync::{LazyLock, Mutex, MutexGuard};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LOG: LazyLock<Log> = LazyLock::new(|| {
    tracing::subscriber::set_global_default(Collector).expect("nobody else subscribes");
    Log(Mutex::default())
});

/// Everything that this process logs through `tracing`, at every level and of every crate.
#[derive(Debug)]
pub struct Log(Mutex<String>);

impl Log {
    /// Begins to collect, if nobody did before. Tests of one process share the log.
    pub fn collect() -> &'static Self {
        &LOG
    }

    /// Returns everything that was logged so far.
    pub fn text(&self) -> String {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.0.lock().expect("no holder panics")
    }
}

struct Collector;

impl Collector {
    fn write(metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("{} {} {}", metadata.level(), metadata.target(), metadata.name()));
        record(&mut line);
        let mut log = LOG.lock();
        log.push_str(&line.0);
        log.push('\n');
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        Self::write(span.metadata(), |line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        LOG.lock().push_str(&line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        Self::write(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("writing to a string cannot fail");
    }
}
