//! Starting other programs.

use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, io};

/// The error is the one message that the user sees.
pub type Result<T = ()> = std::result::Result<T, String>;

/// This program again, to do one measurement.
pub fn myself() -> Result<PathBuf> {
    env::current_exe().map_err(|error| format!("cannot find this program: {error}"))
}

/// The program beside this one, whose allocator counts.
pub fn counting() -> Result<PathBuf> {
    let path = myself()?.with_file_name("counting");
    if path.exists() { Ok(path) } else { Err(format!("{} was not built", path.display())) }
}

/// What a command wrote to its standard output and to its standard error; fails unless the command succeeds.
pub fn output(command: &mut Command) -> Result<(String, String)> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start {shown}: {error}"))?;
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if output.status.success() { Ok((out, error)) } else { Err(format!("{shown}: {}\n{error}", output.status)) }
}

/// A program that ends when this is dropped, and also when this process is killed: it watches its standard input.
pub struct Server {
    child: Child,
    _stdin: ChildStdin,
}

impl Server {
    /// Starts a program that ends by itself when its standard input closes.
    pub fn start(command: &mut Command) -> Result<Self> {
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error: io::Error| format!("cannot start {shown}: {error}"))?;
        let stdin = child.stdin.take().expect("it is piped");
        Ok(Self { child, _stdin: stdin })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The standard output, once.
    pub fn stdout(&mut self) -> Result<std::process::ChildStdout> {
        self.child.stdout.take().ok_or_else(|| "the standard output is taken".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
