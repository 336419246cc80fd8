//! One term after the other: consensus of each begins when the last batch of the term before is
//! final, among those who certify from then on.
//!
//! Each term has its own votes (a partition of the store) and its own channels among the members
//! (subchannels named by the term). Who is left behind in a term hears messages of a later one and
//! then asks for the certificate of its term's last batch, which leads to all that it misses.

use crate::audience::Audience;
use crate::block::Block;
use crate::committees::Committees;
use crate::delivery::Marshal;
use crate::error::Error;
use crate::executor::Executor;
use crate::keys::{PublicKey, Scheme, Standing};
use crate::order::{MAILBOX, RETAINED_VIEWS, Runtime, Settings};
use crate::signal::Signal;
use crate::status::{Monitor, Phase};
use crate::storage;
use crate::term::{EPOCHS, Term};
use commonware_actor::Feedback;
use commonware_consensus::marshal::standard::Deferred;
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::types::Activity;
use commonware_consensus::simplex::{self, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::types::{FixedEpocher, Height as BlockHeight};
use commonware_consensus::{Reporter, Viewable as _};
use commonware_cryptography::Digestible as _;
use commonware_cryptography::sha256::{Digest, Sha256};
use commonware_p2p::utils::mux::{Builder as _, MuxHandle, Muxer, SubReceiver, SubSender};
use commonware_p2p::{Blocker, Channel, Message, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Blob as _, Error as RuntimeError, Handle};
use commonware_utils::channel::mpsc;
use commonware_utils::ordered::{Quorum as _, Set};
use commonware_utils::vec::NonEmptyVec;
use commonware_utils::{N3f1, NZDuration};
use futures::future::{Either, select};
use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use touchmark_batch::Application;
use touchmark_wire::ids::Height;

/// Between two questions of who is left behind.
const CATCH_UP_PAUSE: Duration = Duration::from_millis(500);
/// Between two looks for the certificate of a term's last batch.
const CERTIFICATE_PAUSE: Duration = Duration::from_millis(50);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const FETCH_RETRY: Duration = Duration::from_millis(100);

/// Whom the network connects this node with.
pub(crate) trait Peering: Send + 'static {
    /// From now on with those who are `called`, and with those who call and are `accepted`. `set`
    /// grows.
    fn track(&mut self, set: u64, called: Set<PublicKey>, accepted: Set<PublicKey>);
}

/// Brings a node through the terms.
pub(crate) struct Succession<B, T> {
    pub(crate) settings: Arc<Settings>,
    pub(crate) executor: Executor,
    pub(crate) marshal: Marshal,
    pub(crate) committees: Committees,
    pub(crate) genesis: Digest,
    pub(crate) blocker: B,
    pub(crate) cache: CacheRef,
    pub(crate) peering: T,
    /// Where the ledger was when the engine started.
    pub(crate) begun: Height,
}

impl<B: Blocker<PublicKey = PublicKey>, T: Peering> Succession<B, T> {
    /// Enters `term`; the others follow from the ledger.
    pub(crate) fn start<E, S, R>(self, context: &E, term: Term, lines: Lines<S, R>) -> Handle<()>
    where
        E: Runtime,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        context.child("succession").spawn(move |context| self.run(context, term, lines))
    }

    async fn run<E, S, R>(mut self, context: E, mut term: Term, lines: Lines<S, R>)
    where
        E: Runtime,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let mut exchange = Exchange::open(&context, lines);
        loop {
            if let Err(error) = self.serve(&context, term, &mut exchange).await {
                self.executor.monitor.end(Phase::Failed(error));
                return pending().await;
            }
            term = term.next();
        }
    }

    /// Runs consensus until the last batch of `term` has come out of it.
    async fn serve<E, S>(
        &mut self,
        context: &E,
        term: Term,
        exchange: &mut Exchange<S>,
    ) -> Result<(), Error>
    where
        E: Runtime,
        S: Sender<PublicKey = PublicKey>,
    {
        let standing = self.standing(context, term).await?;
        let before = self.before(term)?;
        let circle = Circle::of(&standing.members, &before, self.settings.keys.colleagues());
        self.peering.track(term.0, circle.called, circle.accepted);
        let (monitor, marshal) = (Arc::clone(&self.executor.monitor), self.marshal.clone());
        monitor.entered(term, &standing);
        // What waited for the last term's proposers is for others now.
        self.executor.woken.notify();
        let mut part = if standing.votes {
            let channels = exchange.channels(term).await?;
            let floor = floor(term, self.genesis, marshal.clone()).await?;
            tracing::debug!(%term, members = standing.members.len(), "consensus begins");
            self.consensus(context, term, &standing.scheme, floor).start(
                channels.votes,
                channels.certificates,
                channels.fetches,
            )
        } else {
            tracing::info!(%term, "this node does not vote in this term");
            // Those who vote have the term's end as soon as there is one, and may say so while this
            // node hears nobody.
            for member in standing.members.iter().cloned() {
                let last = BlockHeight::new(term.last().0);
                marshal.hint_finalized(last, NonEmptyVec::new(member));
            }
            let certificates = exchange.certificates(term).await?;
            let (scheme, monitor, marshal) =
                (Arc::clone(&standing.scheme), Arc::clone(&monitor), marshal.clone());
            let blocker = self.blocker.clone();
            Audience { term, scheme, monitor, marshal, blocker }.start(context, certificates)
        };
        let over = pin!(ended(context, term, standing.votes, &monitor, &marshal));
        let (application, settings) =
            (Arc::clone(&self.executor.application), Arc::clone(&self.settings));
        let departed = |gone: &BTreeSet<PublicKey>| {
            let next = || seated(term.next(), &*application, &settings);
            monitor.is_over(term.last())
                && (are_too_many_to_lie(gone, &standing.members)
                    || next().is_ok_and(|next| are_too_many_to_lie(gone, &next.members)))
        };
        let late = pin!(exchange.catch_up(context, term, departed, &marshal));
        match select(select(over, late), &mut part).await {
            Either::Left(_) => {
                part.abort();
                // It is over, whatever it says.
                let _ = part.await;
            }
            Either::Right((Ok(()), _)) => {
                return Err(Error::Internal("consensus ended within its term".to_owned()));
            }
            Either::Right((Err(error), _)) => return Err(Error::Internal(error.to_string())),
        }
        if let Some(before) = term.before() {
            forget(context, &self.partition(before)).await?;
            forget(context, &self.attendance(before)).await?;
        }
        Ok(())
    }

    /// What the committee of `term` is to this node. If it may have voted in the term before it
    /// started, and what it voted for is lost, it does not vote until the next one.
    async fn standing<E: Runtime>(&mut self, context: &E, term: Term) -> Result<Standing, Error> {
        let application = &*self.executor.application;
        let mut standing = enter(term, application, &self.settings, &self.committees)?;
        let attendance = self.attendance(term);
        // Whose ledger has all but the first batch of the term may have voted for that one. Nobody
        // votes for the genesis.
        if self.begun.0 > 0 && self.begun.0 + 1 >= term.first().0 {
            let at_its_beginning = self.begun.0 + 1 == term.first().0;
            let mut kept = is_any_there(context, self.traces(term)).await?;
            if let Some(before) = term.before().filter(|_| at_its_beginning) {
                // It was stopped between the two terms, and lost nothing.
                kept |= is_any_there(context, self.traces(before)).await?;
            }
            // Alone, it was refused before if its store does not have what its ledger has; earlier
            // terms are others' by now.
            let checked = standing.is_alone() && term >= Term::of(Height(self.begun.0 + 1));
            if !kept && standing.votes && !checked {
                tracing::warn!(%term, "what this node voted for in this term is lost: it does not \
                                       vote until the next one");
                standing.votes = false;
                self.committees.enter(term, standing.clone());
            } else if kept || checked {
                attend(context, &attendance).await?;
            }
        } else {
            attend(context, &attendance).await?;
        }
        Ok(standing)
    }

    /// What is on the disk of a node that has all that it voted for in `term`: a note that says so,
    /// or the votes.
    fn traces(&self, term: Term) -> [String; 2] {
        [self.attendance(term), self.partition(term)]
    }

    /// Where it is noted that this node was there when a term began: it has all votes of its own.
    fn attendance(&self, term: Term) -> String {
        format!("{}-attendance-{term}", self.settings.prefix)
    }

    /// Who certified in the term before.
    fn before(&self, term: Term) -> Result<Set<PublicKey>, Error> {
        let Some(before) = term.before() else { return Ok(Set::default()) };
        Ok(seated(before, &*self.executor.application, &self.settings)?.members)
    }

    fn partition(&self, term: Term) -> String {
        format!("{}-consensus-{term}", self.settings.prefix)
    }

    /// Consensus of a term, over the ledger's [`Executor`] and `marshal`.
    fn consensus<E: Runtime>(
        &self,
        context: &E,
        term: Term,
        scheme: &Scheme,
        floor: Digest,
    ) -> Consensus<E, B> {
        let (monitor, woken) =
            (Arc::clone(&self.executor.monitor), Arc::clone(&self.executor.woken));
        let deferred = Deferred::new(
            context.child("deferred"),
            self.executor.clone(),
            self.marshal.clone(),
            EPOCHS,
        );
        let observer = Observer { inner: deferred.clone(), term, monitor, woken };
        let timeouts = self.settings.pacing.timeouts();
        let config = simplex::Config {
            scheme: scheme.clone(),
            elector: RoundRobin::default(),
            blocker: self.blocker.clone(),
            automaton: deferred.clone(),
            relay: deferred,
            reporter: observer,
            track_historical_votes: false,
            strategy: Sequential,
            partition: self.partition(term),
            mailbox_size: MAILBOX,
            epoch: term.epoch(),
            floor: simplex::Floor::Genesis(floor),
            replay_buffer: storage::REPLAY_BUFFER,
            write_buffer: storage::WRITE_BUFFER,
            page_cache: self.cache.clone(),
            leader_timeout: timeouts.leader,
            certification_timeout: timeouts.certification,
            timeout_retry: timeouts.retry,
            view_retention: RETAINED_VIEWS,
            skip: SkipPolicy::Enabled { timeout: timeouts.skip, budget: SkipBudget::Participants },
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: FETCH_RETRY,
            forward: ForwardPolicy::Disabled,
        };
        simplex::Engine::new(context.child("simplex"), config)
    }
}

/// Whom a node talks with in a term.
struct Circle {
    /// Those it calls: the members, and those of a committee to come, who lack everything.
    called: Set<PublicKey>,
    /// Those who may call it: members of the term before, who may lack its end.
    accepted: Set<PublicKey>,
}

impl Circle {
    /// Of a term of these members; `colleagues` are those whom this node has a seat with, in whatever
    /// committee.
    fn of<'a>(
        members: &'a Set<PublicKey>,
        before: &Set<PublicKey>,
        colleagues: impl Iterator<Item = &'a PublicKey>,
    ) -> Self {
        let to_come = colleagues.filter(|colleague| before.position(colleague).is_none());
        let called = Set::from_iter_dedup(members.iter().chain(to_come).cloned());
        let accepted = before.iter().filter(|other| called.position(other).is_none());
        let accepted = Set::from_iter_dedup(accepted.cloned());
        Self { called, accepted }
    }
}

/// Whether so many members of a committee are among `some` that one of them is honest.
fn are_too_many_to_lie(some: &BTreeSet<PublicKey>, committee: &Set<PublicKey>) -> bool {
    let among = committee.iter().filter(|member| some.contains(*member)).count();
    among > committee.max_faults::<N3f1>() as usize
}

/// Notes who certifies in `term`, as the ledger says.
pub(crate) fn enter(
    term: Term,
    application: &dyn Application,
    settings: &Settings,
    committees: &Committees,
) -> Result<Standing, Error> {
    let standing = seated(term, application, settings)?;
    committees.enter(term, standing.clone());
    Ok(standing)
}

/// What those who certify in `term`, as the ledger says, are to this node.
fn seated(
    term: Term,
    application: &dyn Application,
    settings: &Settings,
) -> Result<Standing, Error> {
    let committee = application
        .committee(term.first())
        .ok_or(Error::Ledger("it does not say who certifies after its last batch"))?;
    settings.keys.standing(&committee)
}

/// The term that a node goes on with whose ledger is at `ordered`: the next one if that is a term's
/// end, unless the end's certificate is missing and this node can make it again.
pub(crate) async fn resumed(
    ordered: Height,
    application: &dyn Application,
    settings: &Settings,
    marshal: &Marshal,
) -> Result<Term, Error> {
    let next = Term::of(Height(ordered.0.saturating_add(1)));
    let Some(before) = next.before().filter(|before| before.last() == ordered) else {
        return Ok(next);
    };
    let votes = seated(before, application, settings)?.votes;
    let again = votes && !is_certified(marshal, before).await;
    Ok(if again { before } else { next })
}

async fn is_certified(marshal: &Marshal, term: Term) -> bool {
    marshal.get_finalization(BlockHeight::new(term.last().0)).await.is_some()
}

/// Waits until the last batch of `term` is there; who votes leaves only when it has the certificate,
/// too, because nobody may be left who could make it again.
async fn ended<E: Runtime>(
    context: &E,
    term: Term,
    votes: bool,
    monitor: &Monitor,
    marshal: &Marshal,
) {
    monitor.over(term.last()).await;
    while votes && !is_certified(marshal, term).await {
        context.sleep(CERTIFICATE_PAUSE).await;
    }
}

/// What the term's first batch is built on.
async fn floor(term: Term, genesis: Digest, marshal: Marshal) -> Result<Digest, Error> {
    let Some(before) = term.before() else {
        return Ok(genesis);
    };
    let last = BlockHeight::new(before.last().0);
    let block = marshal.get_block(last).await.ok_or(Error::Missing(before.last()))?;
    Ok(block.digest())
}

/// Notes, so that it outlives a power cut, that this node is there when a term begins.
async fn attend<E: Runtime>(context: &E, partition: &str) -> Result<(), Error> {
    let (blob, _) = context.open(partition, b"begun").await.map_err(|error| fails(&error))?;
    blob.sync().await.map_err(|error| fails(&error))
}

async fn is_any_there<E: Runtime>(context: &E, partitions: [String; 2]) -> Result<bool, Error> {
    for partition in partitions {
        if is_there(context, &partition).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn is_there<E: Runtime>(context: &E, partition: &str) -> Result<bool, Error> {
    match context.scan(partition).await {
        Ok(blobs) => Ok(!blobs.is_empty()),
        Err(RuntimeError::PartitionMissing(_)) => Ok(false),
        Err(error) => Err(fails(&error)),
    }
}

/// The votes of a term that is over for good: the ledger has its last batch, and the one after it
/// is over, too.
async fn forget<E: Runtime>(context: &E, partition: &str) -> Result<(), Error> {
    match context.remove(partition, None).await {
        Ok(()) | Err(RuntimeError::PartitionMissing(_)) => Ok(()),
        Err(error) => Err(fails(&error)),
    }
}

fn fails(error: &RuntimeError) -> Error {
    Error::Store(error.to_string())
}

/// The network's channels for consensus, of all terms.
pub(crate) struct Lines<S, R> {
    pub(crate) votes: (S, R),
    pub(crate) certificates: (S, R),
    pub(crate) fetches: (S, R),
}

/// The same, shared among terms.
struct Exchange<S: Sender> {
    votes: MuxHandle<S>,
    certificates: MuxHandle<S>,
    fetches: MuxHandle<S>,
    /// Votes of other terms than those whose channels are open.
    astray: mpsc::Receiver<(Channel, Message<PublicKey>)>,
}

type Line<S> = (SubSender<S>, SubReceiver<PublicKey>);

/// Those of one term.
struct Channels<S: Sender> {
    votes: Line<S>,
    certificates: Line<S>,
    fetches: Line<S>,
}

impl<S: Sender<PublicKey = PublicKey>> Exchange<S> {
    fn open<E: Runtime, R: Receiver<PublicKey = PublicKey>>(
        context: &E,
        lines: Lines<S, R>,
    ) -> Self {
        let Lines { votes, certificates, fetches } = lines;
        let (muxer, votes, astray) =
            Muxer::builder(context.child("votes"), votes.0, votes.1).with_backup().build();
        muxer.start();
        let (muxer, certificates) =
            Muxer::new(context.child("certificates"), certificates.0, certificates.1);
        muxer.start();
        let (muxer, fetches) = Muxer::new(context.child("fetches"), fetches.0, fetches.1);
        muxer.start();
        Self { votes, certificates, fetches, astray }
    }

    async fn channels(&mut self, term: Term) -> Result<Channels<S>, Error> {
        let failed = |error: commonware_p2p::utils::mux::Error| Error::Internal(error.to_string());
        Ok(Channels {
            votes: self.votes.register(term.0).await.map_err(failed)?,
            certificates: self.certificates.register(term.0).await.map_err(failed)?,
            fetches: self.fetches.register(term.0).await.map_err(failed)?,
        })
    }

    async fn certificates(&mut self, term: Term) -> Result<SubReceiver<PublicKey>, Error> {
        let (_, certificates) = self
            .certificates
            .register(term.0)
            .await
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(certificates)
    }

    /// Asks those who are in a later term for the end of this one. Ends when they are `enough`: what
    /// one of them says in a later term may be a lie, what an honest one says is that this one is
    /// certified.
    async fn catch_up<E: Runtime>(
        &mut self,
        context: &E,
        term: Term,
        enough: impl Fn(&BTreeSet<PublicKey>) -> bool,
        marshal: &Marshal,
    ) {
        let (mut due, mut later) = (context.current(), BTreeSet::new());
        loop {
            let Some((other, (from, _))) = self.astray.recv().await else {
                return pending().await;
            };
            if other <= term.0 {
                continue;
            }
            later.insert(from.clone());
            if enough(&later) {
                return;
            }
            if context.current() >= due {
                marshal.hint_finalized(BlockHeight::new(term.last().0), NonEmptyVec::new(from));
                due = context.current() + CATCH_UP_PAUSE;
            }
        }
    }
}

type DeferredOf<E> = Deferred<E, Scheme, Executor, Block, FixedEpocher>;
type Consensus<E, B> = simplex::Engine<
    E,
    Scheme,
    RoundRobin<Sha256>,
    B,
    Digest,
    DeferredOf<E>,
    DeferredOf<E>,
    Observer<DeferredOf<E>>,
    Sequential,
>;

/// Notes the view while certificates pass by on their way to marshal.
#[derive(Clone)]
struct Observer<R> {
    inner: R,
    term: Term,
    monitor: Arc<Monitor>,
    woken: Arc<Signal>,
}

impl<R: Reporter<Activity = Activity<Scheme, Digest>>> Reporter for Observer<R> {
    type Activity = R::Activity;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        if matches!(
            activity,
            Activity::Notarization(_) | Activity::Nullification(_) | Activity::Finalization(_)
        ) {
            self.monitor.passed(self.term, activity.view().get());
            // Others propose now.
            self.woken.notify();
        }
        self.inner.report(activity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::{Signer as _, ed25519};
    use std::ops::Range;

    fn keys(seeds: Range<u64>) -> Set<PublicKey> {
        let keys = seeds.map(|seed| ed25519::PrivateKey::from_seed(seed).public_key());
        Set::from_iter_dedup(keys)
    }

    #[test]
    fn who_comes_is_called_and_who_left_is_accepted() {
        let Circle { called, accepted } = Circle::of(&keys(1..5), &keys(0..4), keys(1..7).iter());
        assert_eq!((called, accepted), (keys(1..7), keys(0..1)));
        // A seat that it has left, and not given back yet, connects with nobody.
        let Circle { called, accepted } = Circle::of(&keys(1..5), &keys(0..4), keys(0..4).iter());
        assert_eq!((called, accepted), (keys(1..5), keys(0..1)));
        let Circle { called, accepted } = Circle::of(&keys(0..4), &keys(0..0), keys(0..4).iter());
        assert_eq!((called, accepted), (keys(0..4), keys(0..0)));
    }

    #[test]
    fn one_liar_sends_nobody_into_the_next_term() {
        let some = |seeds| keys(seeds).into_iter().collect::<BTreeSet<_>>();
        for (seeds, committee, enough) in [
            (0..0, 0..1, false),
            (0..1, 0..1, true),
            (0..1, 0..4, false),
            (0..2, 0..4, true),
            (0..2, 0..7, false),
            (0..3, 0..7, true),
            // Strangers count for nothing.
            (3..9, 0..4, false),
        ] {
            let decided = are_too_many_to_lie(&some(seeds.clone()), &keys(committee.clone()));
            assert_eq!(decided, enough, "{seeds:?} of {committee:?}");
        }
    }
}
