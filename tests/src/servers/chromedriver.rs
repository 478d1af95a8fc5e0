//! A real chromedriver, which starts and steers Chromium.

use super::temporary_directory;
use super::watchdog::{NotReady, Watchdog};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest time that a start may take; some tens of milliseconds are usual.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// The names that the browser's program may have; `xtask` looks for the same ones.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A chromedriver of its own, which ends when this is dropped, and at the latest with the test process; its browser too.
#[derive(Debug)]
pub struct Chromedriver {
    port: u16,
    browser: PathBuf,
    // Dropped before the directory is.
    #[cfg_attr(not(test), expect(dead_code, reason = "holding it is its use"))]
    watchdog: Watchdog,
    directory: TempDir,
}

impl Chromedriver {
    /// Starts it on a free port, and returns when it answers.
    ///
    /// # Panics
    ///
    /// If chromedriver or Chromium is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let browser = installed_browser();
        let directory = temporary_directory("chromedriver-");
        let mut command = Command::new("chromedriver");
        // It finds a free port by itself.
        command.arg("--port=0");
        // Nothing is to appear elsewhere.
        for variable in ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(variable, directory.path());
        }
        let deadline = Instant::now() + START_DEADLINE;
        match Watchdog::start(&command, directory.path(), "started successfully on port", deadline) {
            Ok((watchdog, line)) => {
                let port = line.trim_end_matches('.').rsplit(' ').next().and_then(|port| port.parse().ok());
                let port = port.unwrap_or_else(|| panic!("no port in `{line}`"));
                Self { port, browser, watchdog, directory }
            }
            Err(NotReady { output, cause }) => panic!("chromedriver {cause}:\n{output}"),
        }
    }

    /// Returns the URL at which it speaks WebDriver: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The browser to start.
    #[must_use]
    pub fn browser(&self) -> &Path {
        &self.browser
    }

    /// Closes the pipe to the watchdog, as happens when the test process dies.
    #[cfg(test)]
    pub(crate) fn close_pipe(&mut self) {
        self.watchdog.close_pipe();
    }

    /// A directory for the browser's files, which goes with this.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn installed_browser() -> PathBuf {
    let version = Command::new("chromedriver").arg("--version").stdout(Stdio::null()).status();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places =
        BROWSERS.iter().flat_map(|name| env::split_paths(&path).map(move |directory| directory.join(name)));
    match places.find(|place| place.is_file()) {
        Some(browser) if version.is_ok_and(|status| status.success()) => browser,
        _ => panic!("install Chromium and chromedriver, or run `cargo xtask test`, which does"),
    }
}
