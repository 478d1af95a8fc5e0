//! Starting other programs.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

/// The error is the one message that the user sees.
pub type Result<T = (), E = String> = std::result::Result<T, E>;

/// This program again, to do one measurement.
pub fn myself() -> Result<PathBuf> {
    env::current_exe().map_err(|error| format!("cannot find this program: {error}"))
}

/// The program beside this one, whose allocator counts.
pub fn counting() -> Result<PathBuf> {
    let path = myself()?.with_file_name("counting");
    if path.exists() { Ok(path) } else { Err(format!("{} was not built", path.display())) }
}

/// Runs a command and returns its standard output and its standard error; fails unless the command succeeds.
pub fn output(command: &mut Command) -> Result<(String, String)> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start {shown}: {error}"))?;
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if output.status.success() { Ok((out, error)) } else { Err(format!("{shown}: {}\n{error}", output.status)) }
}

/// A program that ends by itself when its standard input closes: when this is dropped, and also when this process is
/// killed.
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Server {
    pub fn start(command: &mut Command) -> Result<Self> {
        let shown = format!("{command:?}");
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("cannot start {shown}: {error}"))?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The first line of the standard output.
    pub fn first_line(&mut self) -> Result<String> {
        let stdout = self.child.stdout.as_mut().ok_or("the standard output is not piped")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
