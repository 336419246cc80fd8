//! Where a node's batches come from: its own order engine, or nodes that it follows.

use crate::follow::Follower;
use crate::proof::ProofError;
use touchmark_engine::{Answers, Engine, Finality, Phase, Status};
use touchmark_store::Snapshot;
use touchmark_wire::ids::Height;

/// What gives the ledger its batches.
pub(crate) enum Order {
    /// It takes part in making them.
    Engine(Box<Engine>),
    /// Others give them.
    Follower(Follower),
}

impl Order {
    /// Something was submitted.
    pub(crate) fn wake(&self) {
        match self {
            Self::Engine(engine) => engine.wake(),
            Self::Follower(follower) => follower.wake(),
        }
    }

    /// What proves that the batch of `height`, of which `snapshot` knows, is final.
    pub(crate) async fn finality(
        &self,
        snapshot: &Snapshot,
        height: Height,
    ) -> Result<Option<Finality>, ProofError> {
        match self {
            Self::Engine(engine) => Ok(engine.finality(height).await),
            Self::Follower(follower) => Ok(follower.finality(snapshot, height)?),
        }
    }

    /// Asks the other validators; who follows is none.
    pub(crate) fn ask(&self, question: Vec<u8>) -> Option<Answers> {
        match self {
            Self::Engine(engine) => Some(engine.ask(question)),
            Self::Follower(_) => None,
        }
    }

    /// How it is doing.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Engine(engine) => engine.status(),
            Self::Follower(follower) => follower.status(),
        }
    }

    /// Why the node is of no use to those who want the newest or write, if it runs and is not.
    pub(crate) fn hindrance(&self) -> Option<String> {
        match self {
            Self::Engine(engine) => {
                let status = engine.status();
                let idle = status.phase == Phase::Running && !status.votes;
                idle.then(|| "this node does not vote in the committee that certifies".to_owned())
            }
            Self::Follower(follower) => follower.hindrance(),
        }
    }

    /// The engine's own counters, in OpenMetrics text; who follows has none.
    pub(crate) fn metrics(&self) -> String {
        match self {
            Self::Engine(engine) => engine.metrics(),
            Self::Follower(_) => String::new(),
        }
    }

    /// Waits until it is over and says why.
    pub(crate) async fn ended(&self) -> Phase {
        match self {
            Self::Engine(engine) => engine.ended().await,
            Self::Follower(follower) => follower.ended().await,
        }
    }

    /// Stops in order.
    pub(crate) fn stop(&self) {
        match self {
            Self::Engine(engine) => engine.stop(),
            Self::Follower(follower) => follower.stop(),
        }
    }
}
