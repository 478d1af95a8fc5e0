//! Mishaps that befall one request to a Redis, or its answer.

use std::io;
use std::sync::Mutex;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

/// A mishap of one command, which [`FaultProxy::befall`](super::FaultProxy::befall) chooses by counting commands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mishap {
    /// The connection breaks before the command gets to the server.
    LoseRequest,
    /// The server does it, and the connection breaks before its answer gets to the client.
    LoseAnswer,
    /// The answer comes when the client sends its next command.
    DelayAnswer,
    /// The server gets the command twice, and the client the answer to the second one.
    Duplicate,
}

impl Mishap {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::LoseRequest, Self::LoseAnswer, Self::DelayAnswer, Self::Duplicate];
}

/// The mishaps that are to come.
#[derive(Debug, Default)]
pub(super) struct Mishaps {
    next: Mutex<Option<(usize, Mishap)>>,
}

impl Mishaps {
    pub(super) fn set(&self, skipped: usize, mishap: Mishap) {
        *self.next.lock().expect("no holder panics") = Some((skipped, mishap));
    }

    pub(super) fn clear(&self) -> bool {
        self.next.lock().expect("no holder panics").take().is_none()
    }

    /// Returns what befalls these bytes.
    fn befalling(&self, bytes: &[u8]) -> Option<Mishap> {
        const COMMANDS: [&[u8]; 3] = [b"\r\nGET\r\n", b"\r\nSET\r\n", b"\r\nEVALSHA\r\n"];
        let has = |command: &&[u8]| bytes.windows(command.len()).any(|window| window == *command);
        if !COMMANDS.iter().any(has) {
            return None;
        }
        let mut next = self.next.lock().expect("no holder panics");
        let (skipped, mishap) = next.as_mut()?;
        if *skipped > 0 {
            *skipped -= 1;
            return None;
        }
        let mishap = *mishap;
        *next = None;
        Some(mishap)
    }
}

/// The fate of the next answer on one connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fate {
    #[default]
    Arrives,
    IsLost,
    IsHeld,
    IsSwallowed,
}

/// The fate of the answers on one connection, which both directions know.
#[derive(Debug, Default)]
pub(super) struct Fates(watch::Sender<Fate>);

impl Fates {
    /// Sends the bytes of a client on, as the mishaps say.
    pub(super) async fn upward(
        &self,
        bytes: &[u8],
        to: &mut (impl AsyncWrite + Unpin),
        mishaps: &Mishaps,
    ) -> io::Result<()> {
        self.0.send_if_modified(|fate| {
            let is_held = *fate == Fate::IsHeld;
            if is_held {
                *fate = Fate::Arrives;
            }
            is_held
        });
        let fate = match mishaps.befalling(bytes) {
            None => return to.write_all(bytes).await,
            Some(Mishap::LoseRequest) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(Mishap::LoseAnswer) => Fate::IsLost,
            Some(Mishap::DelayAnswer) => Fate::IsHeld,
            Some(Mishap::Duplicate) => Fate::IsSwallowed,
        };
        self.0.send_replace(fate);
        to.write_all(bytes).await?;
        if fate == Fate::IsSwallowed {
            let mut fates = self.0.subscribe();
            let _ = fates.wait_for(|fate| *fate == Fate::Arrives).await;
            to.write_all(bytes).await?;
        }
        Ok(())
    }

    /// Sends the bytes of the server on, as the mishap of their command says.
    pub(super) async fn downward(&self, bytes: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let fate = *self.0.borrow();
        match fate {
            Fate::Arrives => {}
            Fate::IsLost => return Err(io::ErrorKind::ConnectionReset.into()),
            Fate::IsHeld => {
                let _ = self.0.subscribe().wait_for(|fate| *fate != Fate::IsHeld).await;
            }
            Fate::IsSwallowed => {
                self.0.send_replace(Fate::Arrives);
                return Ok(());
            }
        }
        to.write_all(bytes).await
    }
}
