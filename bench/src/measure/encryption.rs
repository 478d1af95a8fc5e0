//! The cost of encryption at rest, per request.

use sessionkit::{KeyRing, MemoryStore, SessionConfig, SessionData, SessionManager};

use super::note::{Note, Open, ROUNDS, Session, median};
use crate::process::Result;
use crate::table::{Table, whole};

#[derive(SessionData)]
#[session(name = "note")]
struct Encrypted {
    #[session(sensitive)]
    text: String,
}

impl Note for Encrypted {
    fn text(&mut self) -> &mut String {
        &mut self.text
    }
}

/// Measures reads and writes of values of two sizes, with and without encryption. Rounds of both take turns.
pub async fn measure() -> Result<String> {
    let mut table = Table::new(["", "without", "encrypted", "more"]);
    for size in [200, 2_000] {
        // Two bytes are the quotes of JSON.
        let text = "x".repeat(size - 2);
        let open = Session::<Open>::begin(manager()?, text.clone()).await;
        let encrypted = Session::<Encrypted>::begin(manager()?, text).await;
        for (name, changes) in [("read", false), ("read and write", true)] {
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                without.push(open.check_out(changes).await?);
                with.push(encrypted.check_out(changes).await?);
            }
            let (without, with) = (median(without), median(with));
            let cells = [without, with, with - without].map(|time| format!("{} ns", whole(time)));
            table.row([format!("{name} {} bytes", whole(size as f64))].into_iter().chain(cells));
        }
    }
    Ok(table.to_string())
}

fn manager() -> Result<SessionManager> {
    let config = SessionConfig::builder().keys(KeyRing::generate()).build().map_err(|error| error.to_string())?;
    Ok(SessionManager::new(MemoryStore::new(), config))
}
