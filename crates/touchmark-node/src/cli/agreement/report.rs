//! What nodes said, as a document and for people.

use super::chance::Chance;
use crate::agreement::{Ballot, Count, Inquiry, Outcome, Place, Reply, Said};
use crate::cli::answer::Answer;
use crate::cli::assurance::Assurance;
use crate::cli::failure::{Exit, Fault};
use crate::cli::sheet::{Field, Sheet};
use crate::cli::view;
use serde::Serialize;
use serde_json::Value;
use touchmark_api::ThingView;

/// What came of asking.
#[derive(Serialize)]
pub(in crate::cli) struct Report {
    /// What the answer rests on.
    assurance: Assurance,
    /// Why it rests on nothing.
    #[serde(flatten)]
    refusal: Option<Refusal>,
    listed: usize,
    asked: usize,
    answered: usize,
    /// How many have to say the same, and how many do.
    wanted: usize,
    equal: usize,
    /// Whether a network was trusted before; otherwise it is what the nodes say.
    trusted: bool,
    /// What the answer is worth, if a third of the list tells the same lie.
    if_a_third_lies: Chance,
    #[serde(flatten)]
    agreed: Option<Agreed>,
    /// What others say, or all where nothing is agreed on; the most first.
    others: Vec<Voice>,
    /// Nodes that do not count.
    uncounted: Vec<Uncounted>,
    #[serde(skip)]
    said: Option<Said>,
}

/// Why nothing is agreed on.
#[derive(Serialize)]
struct Refusal {
    code: &'static str,
    hint: &'static str,
    #[serde(skip)]
    exit: Exit,
}

/// What is agreed on.
#[derive(Serialize)]
struct Agreed {
    network: String,
    /// The log that the answer is about has at least so many leaves.
    size: u64,
    /// The thing; without chain head and history where too few have the same.
    thing: Option<Value>,
    /// Who says so.
    nodes: Vec<String>,
    #[serde(skip)]
    text: Sheet,
}

/// What some say that all say the same.
#[derive(Serialize)]
struct Voice {
    nodes: Vec<String>,
    network: String,
    /// The logs that they speak of have at least so many leaves.
    size: u64,
    thing: Option<Value>,
    /// Members in which it differs from what most say.
    differs_in: Vec<String>,
    #[serde(skip)]
    text: String,
}

/// A node that does not count.
#[derive(Serialize)]
struct Uncounted {
    node: String,
    why: &'static str,
    reason: String,
}

impl Report {
    pub(super) fn new(listed: usize, asked: &Inquiry<'_>, ballot: &Ballot, count: &Count) -> Self {
        let said = |place: usize| ballot.said(place);
        let node = |place: usize| asked.nodes[place].as_str().to_owned();
        let is_agreed = count.outcome == Outcome::Agreed;
        let most = count.groups.first().and_then(|group| said(*group.first()?));
        let others = count.groups.iter().skip(usize::from(is_agreed));
        let others = others.filter_map(|group| {
            let nodes = group.iter().map(|place| node(*place)).collect();
            Some(Voice::of(nodes, said(*group.first()?)?, ballot.reach(group).0, most?))
        });
        let uncounted = count.places.iter().enumerate().filter_map(|(place, standing)| {
            let reply = &ballot.replies()[place];
            Uncounted::of(node(place), *standing, reply, count.size.0)
        });
        let answered = ballot.replies().iter().filter(|reply| matches!(reply, Reply::Said(_)));
        let agreed = most.filter(|_| is_agreed);
        let history = count.history.and_then(said).and_then(|said| said.thing.as_deref());
        Self {
            assurance: if is_agreed { Assurance::Agreement } else { Assurance::None },
            refusal: Refusal::of(count.outcome),
            listed,
            asked: asked.nodes.len(),
            answered: answered.count(),
            wanted: asked.policy.equal(),
            equal: count.groups.first().map_or(0, Vec::len),
            trusted: asked.network.is_some(),
            if_a_third_lies: Chance::one_of(3, asked.policy, listed),
            agreed: agreed.map(|said| {
                let nodes = count.groups[0].iter().map(|place| node(*place)).collect();
                Agreed::new(said, history, count.size.0, nodes)
            }),
            others: others.collect(),
            uncounted: uncounted.collect(),
            said: agreed.cloned(),
        }
    }

    /// What is agreed on.
    pub(in crate::cli) fn said(&self) -> Option<&Said> {
        self.said.as_ref()
    }

    pub(in crate::cli) fn answer(&self) -> Answer {
        let exit = self.refusal.as_ref().map_or(Exit::Fine, |refusal| refusal.exit);
        Answer::new(self, self.sheet().to_string()).ending(exit)
    }

    /// What was made of it, instead of what was said.
    pub(in crate::cli) fn with(&self, made: &Sheet) -> Answer {
        let mut document = Answer::new(self, "").document;
        if let (Some(members), Value::Object(made)) = (document.as_object_mut(), made.document()) {
            for (name, value) in made {
                let before = members.insert(name, value);
                assert!(before.is_none(), "what was made has other names than what was said");
            }
        }
        let mut text = Sheet::default();
        text.add("assurance", self.assurance());
        for (name, value) in made.rows() {
            text.add(name, value.clone());
        }
        self.dissent(&mut text);
        Answer::raw(document, text.plain().to_string().into_bytes())
    }

    fn assurance(&self) -> String {
        let Self { equal, asked, wanted, .. } = self;
        let assurance = self.assurance.as_str();
        format!("{assurance}: {equal} of {asked} nodes say the same, {wanted} are wanted")
    }

    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.add("assurance", self.assurance());
        if let Some(refusal) = &self.refusal {
            sheet.add("code", refusal.code).add("hint", refusal.hint);
        }
        if let Some(agreed) = &self.agreed {
            let whose = if self.trusted { "as trusted" } else { "as they say" };
            sheet.add("network", format!("{}, {whose}", agreed.network));
            sheet.add("log size", format!("at least {}", agreed.size));
            sheet.add("thing", agreed.text.clone());
        }
        self.dissent(&mut sheet);
        sheet.plain()
    }

    /// Who said otherwise, who does not count, and what the rest is worth.
    fn dissent(&self, sheet: &mut Sheet) {
        let others = self.others.iter().map(Voice::sheet);
        sheet.add("others", others.collect::<Field>());
        let uncounted = self.uncounted.iter().map(|it| format!("{}: {}", it.node, it.reason));
        sheet.add("not counted", uncounted.collect::<Field>());
        sheet.add("if a third lies", [self.if_a_third_lies.sheet()].into_iter().collect::<Field>());
    }
}

impl Refusal {
    fn of(outcome: Outcome) -> Option<Self> {
        let (fault, hint) = match outcome {
            Outcome::Agreed => return None,
            Outcome::Split => (
                Fault::NodesDisagree,
                "some nodes lie or are of another network, or the thing is changing: believe none \
                 of it and ask again; if it stays so take a proof, or a better list",
            ),
            Outcome::TooFew => (
                Fault::FewAnswers,
                "check the network here, and take those off the list that have gone",
            ),
        };
        Some(Self { code: fault.code(), hint, exit: fault.exit() })
    }
}

impl Agreed {
    fn new(said: &Said, history: Option<&ThingView>, size: u64, nodes: Vec<String>) -> Self {
        let thing = history.or(said.thing.as_deref());
        let mut text = thing.map_or_else(Sheet::default, view::standing);
        match (thing, history) {
            (None, _) => drop(text.add("known", false)),
            (Some(_), Some(view)) => view::history(&mut text, view),
            (Some(_), None) => drop(text.add("history", "goes on: too few have the same")),
        }
        let history = if history.is_some() { History::Agreed } else { History::Open };
        let thing = thing.map(|view| document(view, history));
        Self { network: said.network.to_string(), size, thing, nodes, text }
    }
}

impl Voice {
    fn of(nodes: Vec<String>, said: &Said, size: u64, most: &Said) -> Self {
        let thing = said.thing.as_deref().map(|view| document(view, History::Open));
        let other = most.thing.as_deref().map(|view| document(view, History::Open));
        let mut differs_in = Vec::new();
        if said.network != most.network {
            differs_in.push("network".to_owned());
        }
        match (&thing, &other) {
            (Some(Value::Object(thing)), Some(Value::Object(other))) => {
                let names =
                    thing.keys().chain(other.keys().filter(|name| !thing.contains_key(*name)));
                let differing = names.filter(|name| thing.get(*name) != other.get(*name));
                differs_in.extend(differing.cloned());
            }
            (None, None) => {}
            _ => differs_in.push("thing".to_owned()),
        }
        let status = said.thing.as_deref().map(|thing| view::status(&thing.status));
        let text = status.unwrap_or_else(|| "no such thing".to_owned());
        Self { nodes, network: said.network.to_string(), size, thing, differs_in, text }
    }

    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.add("nodes", self.nodes.len()).add("status", self.text.as_str());
        sheet.add("log size", format!("at least {}", self.size));
        let most = "nothing: it is what most say".to_owned();
        let differs = if self.differs_in.is_empty() { most } else { self.differs_in.join(" ") };
        sheet.add("differs in", differs).add("who", self.nodes.join(" "));
        sheet
    }
}

impl Uncounted {
    fn of(node: String, place: Place, reply: &Reply, size: u64) -> Option<Self> {
        let (why, reason) = match (place, reply) {
            (Place::Group(_), _) => return None,
            (Place::Behind, Reply::Said(said)) => {
                let own = said.size;
                ("behind", format!("its log has {own} leaves, that of others {size}"))
            }
            (_, Reply::Said(said)) => {
                ("other-network", format!("it is of the network {}", said.network))
            }
            (_, Reply::Nothing { reason }) => ("nothing", reason.clone()),
        };
        Some(Self { node, why, reason })
    }
}

/// Whether chain head and history are agreed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum History {
    Agreed,
    Open,
}

/// A thing as a document, without what is not agreed on.
fn document(view: &ThingView, history: History) -> Value {
    let mut document = Answer::new(view, "").document;
    if let Some(members) = document.as_object_mut() {
        members.remove("size");
        if history == History::Open {
            members.remove("head");
            members.remove("history");
            let fork = view.history.fork.map(|leaf| serde_json::json!({ "fork": leaf }));
            members.extend(fork.map(|fork| ("history".to_owned(), fork)));
        }
    }
    document
}
