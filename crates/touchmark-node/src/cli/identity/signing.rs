//! Statements of an identity: signed, kept, sent, and only then counted.

use super::chains::Place;
use super::commitment::Committed;
use super::folder::{Held, Identity, State, Tip};
use crate::cli::failure::{Exit, Failure, Fault};
use crate::cli::passphrase::Passphrase;
use crate::cli::session::{Session, network_id};
use crate::node::now;
use std::path::Path;
use touchmark_api::client::{Client, ClientError};
use touchmark_api::{HeadView, ThingView, Written};
use touchmark_core::directory::NewKey;
use touchmark_core::entry::Purposes;
use touchmark_keys::file::KeyFile;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::Signer;
use touchmark_wire::codec::Malformed;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, Sequence, StatementId, ThingId};
use touchmark_wire::registry::{ContentFormat, RefusalCode, StatementKind};
use touchmark_wire::statement::{Claims, Content, Draft, Kid, Link, Statement};

/// Who signs, and how its keys are opened
#[derive(clap::Args, Debug)]
pub(crate) struct Signing {
    /// Identity that signs; otherwise the context's
    #[arg(long = "as", value_name = "IDENTITY")]
    identity: Option<String>,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// What an identity is going to state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proposal<'a> {
    pub(crate) kind: StatementKind,
    pub(crate) content: Content,
    pub(crate) payload: &'a [u8],
    pub(crate) signers: Signers,
    /// Where it is an entry; nowhere, it stands in the main chain.
    pub(crate) channel: Option<ChannelId>,
    /// What it is about, in the SCITT profile; the compact profile does not say.
    pub(crate) subject: Option<&'a str>,
}

/// Which keys of an identity sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signers {
    /// Those that are valid.
    Present,
    /// Those that it has committed to: the statement reveals them.
    Committed,
}

impl<'a> Proposal<'a> {
    /// A payload of a fixed shape.
    pub(crate) const fn new(kind: StatementKind, payload: &'a [u8]) -> Self {
        let content = Content::Inline(ContentFormat::CBOR);
        let signers = Signers::Present;
        Self { kind, content, payload, signers, channel: None, subject: None }
    }

    const fn purpose(&self) -> Purposes {
        match self.kind {
            StatementKind::RECORD | StatementKind::EVIDENCE => Purposes::RECORD,
            StatementKind::INCEPTION => Purposes::ANY,
            _ => Purposes::CONTROL,
        }
    }
}

impl Signing {
    /// The identity, for this command alone.
    pub(crate) fn open(&self, session: &Session<'_, '_>) -> Result<Identity, Failure> {
        let identity = self.open_even_locked(session)?;
        identity.require_unlocked()?;
        Ok(identity)
    }

    /// The name of the identity that signs.
    pub(crate) fn name(&self, session: &Session<'_, '_>) -> Result<String, Failure> {
        let Some(name) = self.identity.clone().or(session.context()?.identity) else {
            return Err(Failure::new(Fault::Usage, "no identity is named")
                .because("neither --as nor the context says who signs")
                .hint("give --as NAME; `touchmark identity list` shows the names"));
        };
        Ok(name)
    }

    /// The identity, though nothing but an alert may be signed with it.
    pub(crate) fn open_even_locked(&self, session: &Session<'_, '_>) -> Result<Identity, Failure> {
        let name = self.name(session)?;
        let context = session.context()?;
        let identity = Identity::open(&session.home()?, &name)?;
        match context.network {
            Some(trusted) if !trusted.eq_ignore_ascii_case(&identity.state.network) => {
                let what = format!("identity `{name}` belongs to another network than the context");
                Err(Failure::new(Fault::WrongNetwork, what)
                    .because(format!("its chain is in {}", identity.state.network))
                    .hint("use the context of that network"))
            }
            _ => Ok(identity),
        }
    }

    /// Signs a statement in the identity's chain and delivers it; what was signed before and did
    /// not arrive goes first.
    pub(crate) fn state(
        &self,
        session: &mut Session<'_, '_>,
        proposal: &Proposal<'_>,
    ) -> Result<Written, Failure> {
        let client = session.client()?;
        let mut identity = self.open(session)?;
        deliver_pending(session, &client, &mut identity)?;
        if let Some(channel) = proposal.channel.filter(|_| !identity.state.knows(proposal.channel))
        {
            adopt_in(&client, &mut identity, channel)?;
        }
        let committed = match proposal.signers {
            Signers::Present => None,
            Signers::Committed => Committed::of(&identity)?,
        };
        let keys = match committed {
            Some(committed) => committed.open(session, self, &identity)?,
            None => self.keys(session, &identity, proposal.purpose())?,
        };
        let bytes = keep(&mut identity, &keys, proposal)?;
        deliver(&client, &mut identity, &bytes)
    }

    /// Signs the next statement of the main chain into a file and delivers nothing: it waits in the
    /// outbox until somebody does, or any other way leads it into the log.
    pub(crate) fn sign_only(
        &self,
        session: &mut Session<'_, '_>,
        proposal: &Proposal<'_>,
        file: &Path,
    ) -> Result<Vec<u8>, Failure> {
        let mut identity = self.open(session)?;
        let keys = self.keys(session, &identity, proposal.purpose())?;
        let bytes = sign_next(&identity, &keys, proposal)?;
        // Where it cannot be written, its place in the chain stays free.
        session.write(file, &bytes)?;
        identity.keep(&bytes)?;
        Ok(bytes)
    }

    /// Whether an identity is named here, and not only by the context.
    pub(crate) const fn is_named(&self) -> bool {
        self.identity.is_some()
    }

    /// The keys that sign the end of `thing`: the committed ones of an identity that is that thing.
    pub(crate) fn committed(
        &self,
        session: &Session<'_, '_>,
        thing: ThingId,
    ) -> Result<Option<Vec<NewKey>>, Failure> {
        let identity = self.open(session)?;
        if identity.thing()? != thing {
            return Ok(None);
        }
        Ok(Committed::of(&identity)?.map(|committed| committed.keys(&identity)))
    }

    /// Opens as many keys for `purpose` as the identity's threshold needs.
    pub(crate) fn keys(
        &self,
        session: &mut Session<'_, '_>,
        identity: &Identity,
        purpose: Purposes,
    ) -> Result<Vec<(KeyNumber, SoftwareKey)>, Failure> {
        let mut chosen = Vec::new();
        let mut weight = 0;
        for held in &identity.state.keys {
            if weight >= u32::from(identity.state.threshold) {
                break;
            }
            if Purposes(held.purposes).contains(purpose) {
                chosen.push((KeyNumber(held.number), key_file(identity, held)?));
                weight += u32::from(held.weight);
            }
        }
        if weight < u32::from(identity.state.threshold) || chosen.is_empty() {
            let what = format!("identity `{}` has no key that may sign this", identity.name);
            return Err(Failure::new(Fault::Usage, what)
                .because("its keys are for other purposes, or ended")
                .hint(format!("`touchmark identity show {}` shows its keys", identity.name)));
        }
        self.unlock(session, &identity.name, chosen)
    }

    /// Opens key files, which share one passphrase.
    pub(crate) fn unlock(
        &self,
        session: &mut Session<'_, '_>,
        name: &str,
        files: Vec<(KeyNumber, KeyFile)>,
    ) -> Result<Vec<(KeyNumber, SoftwareKey)>, Failure> {
        let encrypted = files.iter().any(|(_, file)| file.is_encrypted());
        let passphrase =
            encrypted.then(|| self.passphrase.source().known(session, name)).transpose()?;
        files
            .into_iter()
            .map(|(number, file)| {
                let key = file.open(passphrase.as_ref().map(|bytes| bytes.as_slice()));
                let key = key.map_err(|error| {
                    Failure::new(Fault::Passphrase, format!("cannot open key {number} of `{name}`"))
                        .because(error)
                        .hint("give the passphrase that the identity was made with")
                })?;
                Ok((number, key))
            })
            .collect()
    }

    /// Where a new key's passphrase comes from.
    pub(crate) const fn passphrase(&self) -> &Passphrase {
        &self.passphrase
    }
}

fn key_file(identity: &Identity, held: &Held) -> Result<KeyFile, Failure> {
    identity.key_file(&Digest::of(&[&held.key.0]).to_string())
}

/// Signs a statement behind what waits and puts it into the outbox.
pub(crate) fn keep(
    identity: &mut Identity,
    keys: &[(KeyNumber, SoftwareKey)],
    proposal: &Proposal<'_>,
) -> Result<Vec<u8>, Failure> {
    let bytes = sign_next(identity, keys, proposal)?;
    identity.keep(&bytes)?;
    Ok(bytes)
}

/// Signs a statement behind what waits.
fn sign_next(
    identity: &Identity,
    keys: &[(KeyNumber, SoftwareKey)],
    proposal: &Proposal<'_>,
) -> Result<Vec<u8>, Failure> {
    let draft = draft(identity, proposal)?;
    let Some(subject) = proposal.subject else { return sign(&draft, keys) };
    if keys.len() > 1 {
        let what = format!("`{}` makes no Signed Statement (RFC 9943)", identity.name);
        return Err(Failure::new(Fault::Usage, what)
            .because("one key signs it, and this identity's threshold needs several")
            .hint("leave out --subject, or sign as an identity whose threshold one key reaches"));
    }
    let network = network_id(&identity.state.network)?;
    let issuer = identity.thing()?.did(&network).to_string();
    let claims = Claims { issuer: &issuer, subject, issued_at: Some(now().0 / 1_000) };
    sign(&Draft { claims: Some(claims), ..draft }, keys)
}

/// The next statement of an identity's chain.
fn draft<'a>(identity: &Identity, proposal: &Proposal<'a>) -> Result<Draft<'a>, Failure> {
    Ok(draft_at(identity.tip(proposal.channel)?, identity.thing()?, proposal))
}

/// The first statement of a chain.
pub(crate) const fn inception(thing: ThingId, network: Digest, payload: &[u8]) -> Draft<'_> {
    let tip = Tip { sequence: Sequence(1), previous: network };
    draft_at(tip, thing, &Proposal::new(StatementKind::INCEPTION, payload))
}

/// The statement at `tip` of the issuer's chain, main or in a channel.
pub(crate) const fn draft_at<'a>(tip: Tip, issuer: ThingId, proposal: &Proposal<'a>) -> Draft<'a> {
    let Tip { sequence, previous } = tip;
    Draft {
        issuer,
        link: Link { kind: proposal.kind, sequence, previous, channel: proposal.channel },
        content: proposal.content,
        claims: None,
        payload: proposal.payload,
    }
}

/// Signs with one key, or with all of several.
pub(crate) fn sign(
    draft: &Draft<'_>,
    keys: &[(KeyNumber, SoftwareKey)],
) -> Result<Vec<u8>, Failure> {
    let signed = match keys {
        [(number, key)] => draft.sign(*number, key),
        keys => {
            let signers: Vec<(Kid, &dyn Signer)> = keys
                .iter()
                .map(|(number, key)| (Kid::new(draft.issuer, *number), key as &dyn Signer))
                .collect();
            draft.sign_many(&signers)
        }
    };
    let bytes = signed.map_err(|error| {
        Failure::new(Fault::Internal, "the statement was not signed").because(error)
    })?;
    match Statement::parse(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error @ Malformed::TooLong { .. }) => {
            let mut failure = Failure::new(Fault::Malformed, "the statement is too long");
            failure.code = RefusalCode::TOO_LONG.to_string();
            Err(failure.because(error).hint(touchmark_core::refusal::hint(RefusalCode::TOO_LONG)))
        }
        Err(error) => {
            Err(Failure::new(Fault::Internal, "the statement cannot be read back").because(error))
        }
    }
}

/// What became of all that waited.
#[derive(Default)]
pub(crate) struct Delivered {
    /// The node's last answer to what has its effect.
    pub(crate) last: Option<Written>,
    /// What has none.
    pub(crate) denied: Vec<Failure>,
}

/// Sends what was signed before and may not have arrived, in order; says what became of it.
pub(crate) fn deliver_pending(
    session: &mut Session<'_, '_>,
    client: &Client,
    identity: &mut Identity,
) -> Result<Delivered, Failure> {
    let mut delivered = Delivered::default();
    loop {
        let place = identity.pending().and_then(Place::of);
        let sequence = place.map_or(0, |place| place.sequence.0);
        match deliver_oldest(client, identity)? {
            Delivery::Nothing => return Ok(delivered),
            Delivery::Arrived(written) => {
                let name = &identity.name;
                session.say(&format!("delivered statement {sequence} of `{name}`, which waited"));
                delivered.last = Some(written);
            }
            Delivery::Denied(failure) => {
                session.say(&format!("statement {sequence}, which waited:\n{failure}"));
                delivered.denied.push(failure);
            }
            Delivery::Later(failure) => return Err(failure),
        }
    }
}

/// What became of the oldest statement that waits.
pub(crate) enum Delivery {
    /// There was none.
    Nothing,
    /// The network has it.
    Arrived(Written),
    /// It has no effect, and never will; the chain has gone on.
    Denied(Failure),
    /// Not now.
    Later(Failure),
}

/// Sends the oldest statement that waits.
pub(crate) fn deliver_oldest(
    client: &Client,
    identity: &mut Identity,
) -> Result<Delivery, Failure> {
    let Some(bytes) = identity.pending().map(<[u8]>::to_vec) else {
        return Ok(Delivery::Nothing);
    };
    match deliver(client, identity, &bytes) {
        Ok(written) => Ok(Delivery::Arrived(written)),
        Err(failure) if failure.position.is_some() => Ok(Delivery::Denied(failure)),
        Err(failure) if failure.is_for_later() => Ok(Delivery::Later(failure)),
        Err(failure) => Err(failure),
    }
}

/// Sends a statement that is kept; moves the chain on when it is in the log.
pub(crate) fn deliver(
    client: &Client,
    identity: &mut Identity,
    bytes: &[u8],
) -> Result<Written, Failure> {
    let name = identity.name.clone();
    match client.submit_statement(bytes) {
        Ok(written) => {
            identity.settle(bytes, true)?;
            Ok(written)
        }
        Err(ClientError::Refused(problem)) if problem.code() == Some(RefusalCode::FORK) => {
            let channel = Place::of(bytes).and_then(|place| place.channel);
            identity.discard_chain(channel)?;
            if let Some(head) = &problem.head {
                take_over(identity, channel, head)?;
            }
            Err((*problem).into())
        }
        Err(ClientError::Refused(problem)) if problem.position.is_some() => {
            identity.settle(bytes, false)?;
            Err((*problem).into())
        }
        Err(error) => {
            let mut failure = Failure::from(error);
            let hint = failure.hint.take().unwrap_or_default();
            let next = if failure.exit == Exit::Refused {
                format!(
                    "`touchmark identity resume {name}` sends it again, with --discard it is forgotten"
                )
            } else {
                format!(
                    "the statement is kept; the next command, or `touchmark identity resume {name}`, sends it again"
                )
            };
            Err(failure.hint(format!("{hint}; {next}")))
        }
    }
}

/// Takes over a chain's head from a node, forwards only: a place that was signed is never signed
/// again.
pub(crate) fn adopt(identity: &mut Identity, head: &HeadView) -> Result<(), Failure> {
    take_over(identity, None, head)
}

/// The same of the chain in a channel, which a node is asked for.
fn adopt_in(client: &Client, identity: &mut Identity, channel: ChannelId) -> Result<(), Failure> {
    let writer = client.writer(channel, identity.thing()?)?;
    take_over(identity, Some(channel), &writer.head)?;
    let (sequence, last) = identity.state.reached(Some(channel));
    let last = last.to_owned();
    // From now on it is known, also before the first entry.
    identity.state.reach(Some(channel), sequence, &last);
    identity.save()
}

/// What a node says of an identity and of its chains.
pub(crate) struct Heads {
    /// The thing, with the head of its main chain.
    pub(crate) thing: ThingView,
    channels: Vec<(ChannelId, HeadView)>,
}

impl Heads {
    /// Asks for the heads of the main chain and of those in all channels that the identity knows.
    pub(crate) fn ask(client: &Client, id: ThingId, state: &State) -> Result<Self, Failure> {
        let thing = client.thing(id)?;
        let ask = |channel| Ok((channel, client.writer(channel, id)?.head));
        let channels =
            state.known_channels().into_iter().map(ask).collect::<Result<_, Failure>>()?;
        Ok(Self { thing, channels })
    }

    /// Takes them over, as [`adopt`] does.
    pub(crate) fn adopt(&self, identity: &mut Identity) -> Result<(), Failure> {
        adopt(identity, &self.thing.head)?;
        self.channels
            .iter()
            .try_for_each(|(channel, head)| take_over(identity, Some(*channel), head))
    }
}

fn take_over(
    identity: &mut Identity,
    channel: Option<ChannelId>,
    head: &HeadView,
) -> Result<(), Failure> {
    let (known, last) = identity.state.reached(channel);
    let same = head.sequence == known && head.last == last;
    if same || head.sequence < known {
        return Ok(());
    }
    if head.sequence == known || head.last.parse::<StatementId>().is_err() {
        let what =
            format!("the chain of `{}` has another statement at place {known}", identity.name);
        return Err(Failure::new(Fault::WrongNetwork, what)
            .because(format!("the node says {}, here it is {last}", head.last))
            .hint("find out who else holds the key; ask another node"));
    }
    identity.state.reach(channel, head.sequence, &head.last);
    identity.save()
}
