//! Traffic that checks every answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::fault::{assert_unavailable, recovered};
use super::{Server, Visitor};

/// Visitors who keep asking for `/add`, which adds one to what `/views` shows. Each answer is checked: it is done, or the
/// store is away.
#[derive(Debug)]
pub struct Traffic {
    stop: Arc<AtomicBool>,
    answers: UnboundedReceiver<(usize, u16)>,
    visitors: Vec<JoinHandle<(Visitor, u64, u64)>>,
    tokens: Vec<String>,
}

impl Traffic {
    /// Begins with four visitors.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn begin(server: &Server) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, answers) = unbounded_channel();
        let (mut visitors, mut tokens) = (Vec::new(), Vec::new());
        for number in 0..4 {
            let (visitor, stop, tell) = (server.visitor(), stop.clone(), tell.clone());
            assert_eq!(visitor.get("/add").await.status, 200);
            let token = visitor.token();
            tokens.extend(token.clone());
            visitors.push(tokio::spawn(async move {
                let (mut acknowledged, mut refused) = (1, 0);
                while !stop.load(Ordering::SeqCst) {
                    let answer = visitor.get("/add").await;
                    match answer.status {
                        200 => acknowledged += 1,
                        _ => {
                            assert_unavailable(&answer, "/add");
                            refused += 1;
                        }
                    }
                    assert_eq!(visitor.token(), token, "nobody is logged out");
                    let _ = tell.send((number, answer.status));
                }
                (visitor, acknowledged, refused)
            }));
        }
        Self { stop, answers, visitors, tokens }
    }

    /// Waits until each visitor has got this status.
    ///
    /// # Panics
    /// If one gets none within a minute.
    pub async fn all_get(&mut self, status: u16) {
        self.each_gets((0..self.visitors.len()).collect(), status).await;
    }

    /// Waits until the visitor whose token is in this place has got this status.
    ///
    /// # Panics
    /// If it gets none within a minute.
    pub async fn one_gets(&mut self, place: usize, status: u16) {
        self.each_gets(vec![place], status).await;
    }

    async fn each_gets(&mut self, mut waiting: Vec<usize>, status: u16) {
        while self.answers.try_recv().is_ok() {}
        let all = async {
            while !waiting.is_empty() {
                let (number, got) = self.answers.recv().await.expect("the visitors go on");
                waiting.retain(|waiting| got != status || *waiting != number);
            }
        };
        let all = timeout(Duration::from_secs(60), all).await;
        assert!(all.is_ok(), "the visitors {waiting:?} get no {status}");
    }

    /// Ends the traffic, and compares what was answered with what is stored.
    ///
    /// # Panics
    /// If an answer was wrong.
    pub async fn end(self) {
        let tally = self.end_with_losses().await;
        assert_eq!(tally.lost, 0, "acknowledged, and not stored: {tally}");
    }

    /// Ends the traffic as [`end`](Self::end) does, after a failover that may lose the last writes.
    ///
    /// # Panics
    /// If an answer was wrong in another way.
    pub async fn end_with_losses(self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        let mut tally = Tally { acknowledged: 0, lost: 0, refused: 0 };
        for visitor in self.visitors {
            let (visitor, acknowledged, refused) = visitor.await.expect("every answer was right");
            let views: u64 = recovered(&visitor, "/views").await.body.parse().expect("a number");
            assert!(views <= acknowledged + refused, "{acknowledged} and {refused} attempts, {views} stored");
            tally.acknowledged += acknowledged;
            tally.lost += acknowledged.saturating_sub(views);
            tally.refused += refused;
        }
        tally
    }

    /// Returns the tokens of the visitors.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }
}

/// The writes of traffic that ended.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// Those that were answered with 200.
    pub acknowledged: u64,
    /// Those of them that are not stored.
    pub lost: u64,
    /// Those that were answered with 503.
    pub refused: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, lost, refused } = self;
        write!(f, "{acknowledged} writes acknowledged, {lost} of them lost, {refused} refused")
    }
}
