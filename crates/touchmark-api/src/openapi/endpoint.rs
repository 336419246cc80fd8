//! One route, as the document shows it.

use super::Exampled;
use crate::{EdgeCode, Problem, media};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use touchmark_wire::registry::RefusalCode;

/// The request methods of the interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Method {
    /// Reads, and changes nothing.
    Get,
    /// Submits.
    Post,
    /// Ends what a `Post` began.
    Delete,
}

impl Method {
    /// Its name in a document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query; may be left out.
    Query,
    /// A header; may be left out.
    Header,
}

/// A parameter of a route.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: &'static str,
    /// What it means, with its limits.
    pub meaning: &'static str,
    /// A value that it may have.
    pub example: &'static str,
}

impl Parameter {
    /// Whether it stands in the query.
    pub fn is_query(&self) -> bool {
        self.place == Place::Query
    }
}

/// The shape of a JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) example: fn() -> Value,
    parses: fn(&Value) -> Result<(), serde_json::Error>,
}

impl Shape {
    /// That of `T`.
    pub const fn of<T: Exampled>() -> Self {
        Self {
            schema: SchemaGenerator::subschema_for::<T>,
            example: T::example,
            parses: |value| T::deserialize(value).map(drop),
        }
    }

    /// Whether a value has this shape.
    pub fn parse(&self, value: &Value) -> Result<(), serde_json::Error> {
        (self.parses)(value)
    }
}

/// What a body may be.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// JSON of this shape.
    Json(Shape),
    /// Server-sent events whose data is JSON of this shape.
    Events(Shape),
    /// Bytes or text of this media type.
    Raw {
        /// Media type.
        media: &'static str,
        /// What is in it.
        meaning: &'static str,
    },
}

impl Content {
    /// Its media type, without parameters.
    pub fn media(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Events(_) => "text/event-stream",
            Self::Raw { media, .. } => media.split(';').next().unwrap_or(media).trim_end(),
        }
    }
}

/// A problem that a route may answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProblemKind {
    /// A refusal of the protocol.
    Refusal(RefusalCode),
    /// A refusal of this interface.
    Edge(EdgeCode),
}

impl ProblemKind {
    /// The problem as it is answered.
    pub fn problem(self, detail: &str) -> Problem {
        match self {
            Self::Refusal(code) => Problem::new(code, detail),
            Self::Edge(code) => Problem::of_edge(code, detail),
        }
    }
}

impl From<RefusalCode> for ProblemKind {
    fn from(code: RefusalCode) -> Self {
        Self::Refusal(code)
    }
}

impl From<EdgeCode> for ProblemKind {
    fn from(code: EdgeCode) -> Self {
        Self::Edge(code)
    }
}

/// How a route writes its problems.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProblemForm {
    /// In JSON (RFC 9457).
    Json,
    /// In CBOR (RFC 9290).
    Concise,
}

/// One route.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path; `{name}` is a parameter and `{*name}` takes the rest.
    pub path: &'static str,
    /// The group it is shown in.
    pub group: &'static str,
    /// What it does, a few words.
    pub summary: &'static str,
    /// What there is to know besides.
    pub description: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What may be sent.
    pub bodies: Vec<Content>,
    /// What is answered, by status.
    pub answers: Vec<(u16, &'static str, Vec<Content>)>,
    /// The problems it answers.
    pub problems: Vec<ProblemKind>,
    /// How it writes them.
    pub problem_form: ProblemForm,
    /// The scope of an API key that it needs.
    pub scope: Option<&'static str>,
}

impl Endpoint {
    /// A route without parameters, body and answers.
    pub fn new(method: Method, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            group: "",
            summary,
            description: String::new(),
            parameters: Vec::new(),
            bodies: Vec::new(),
            answers: Vec::new(),
            problems: Vec::new(),
            problem_form: ProblemForm::Json,
            scope: None,
        }
    }

    /// The media types that it takes; none where any is taken.
    pub fn takes(&self) -> Vec<&'static str> {
        let named: Vec<_> = self.bodies.iter().map(Content::media).collect();
        if named.contains(&media::ANY) { Vec::new() } else { named }
    }

    /// The media types that it answers unless it refuses, the usual one first.
    pub fn offers(&self) -> Vec<&'static str> {
        let fine = self.answers.iter().filter(|(status, ..)| (200..300).contains(status));
        let mut offers: Vec<_> =
            fine.flat_map(|(.., contents)| contents).map(Content::media).collect();
        offers.sort_by_key(|media| *media != "application/json");
        offers.dedup();
        offers
    }

    /// A name that no other route has: `get_things_id`.
    pub fn operation(&self) -> String {
        let words = self.path.split(|symbol: char| !symbol.is_ascii_alphanumeric());
        let words = words.filter(|word| !word.is_empty() && *word != "v1");
        [self.method.name()].into_iter().chain(words).collect::<Vec<_>>().join("_")
    }

    /// The path as the document writes it.
    pub fn documented_path(&self) -> String {
        self.path.replace("{*", "{")
    }
}
