//! The progress of a long scan, on a terminal.

use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

/// The shortest time between two lines.
const PAUSE: Duration = Duration::from_millis(200);

/// A line on standard error that shows how far a scan has come, if that is a terminal.
pub(crate) struct Progress {
    /// The terminal that shows it, and the time of the last line.
    shown: Option<(Box<dyn Write + Send>, Instant)>,
    what: &'static str,
}

impl Progress {
    /// Begins; `what` is done to a number of things.
    pub(crate) fn new(what: &'static str) -> Self {
        let error = std::io::stderr();
        let place = error.is_terminal().then(|| Box::new(error) as Box<dyn Write + Send>);
        Self { shown: place.map(|place| (place, Instant::now())), what }
    }

    /// Shows how many there are by now, unless it has just shown it.
    pub(crate) fn show(&mut self, count: usize) {
        if let Some((place, shown_at)) = &mut self.shown
            && shown_at.elapsed() >= PAUSE
        {
            let _ = write!(place, "\r\x1b[K{count} {}", self.what).and_then(|()| place.flush());
            *shown_at = Instant::now();
        }
    }

    /// Makes room for other output.
    pub(crate) fn clear(&mut self) {
        if let Some((place, _)) = &mut self.shown {
            let _ = write!(place, "\r\x1b[K").and_then(|()| place.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Terminal(Arc<Mutex<Vec<u8>>>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_long_scan_shows_a_line_now_and_then_and_takes_it_away() {
        let (terminal, long_ago) = (Terminal::default(), Instant::now() - PAUSE);
        let mut progress = Progress { shown: Some((Box::new(terminal.clone()), long_ago)), what: "sessions" };
        progress.show(500);
        progress.show(1000);
        drop(progress);
        assert_eq!(terminal.0.lock().unwrap().as_slice(), b"\r\x1b[K500 sessions\r\x1b[K");
    }
}
