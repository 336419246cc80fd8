//! A row of the table of routes: a handler with its description.

use super::gate::{self, Class, Gate};
use super::{BODY_LIMIT, Gateway};
use crate::apikey::Scope;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use touchmark_api::EdgeCode;
use touchmark_api::openapi::{
    Content, Endpoint, Exampled, Method, Parameter, ProblemForm, ProblemKind, Shape,
};
use touchmark_wire::registry::RefusalCode as Code;

/// A route.
pub(super) struct Route {
    pub(super) endpoint: Endpoint,
    handler: MethodRouter<Gateway>,
    class: Class,
    /// Whether its answers say nothing of how long the log is.
    timeless: bool,
    /// Whether nobody is to keep its answers.
    unstored: bool,
}

impl Route {
    /// A route that reads.
    pub(super) fn get<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        Self::new(Method::Get, MethodFilter::GET, path, summary, handler)
    }

    /// A route that submits.
    pub(super) fn post<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        Self::new(Method::Post, MethodFilter::POST, path, summary, handler)
    }

    /// A route that ends what a `post` began.
    pub(super) fn delete<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        Self::new(Method::Delete, MethodFilter::DELETE, path, summary, handler)
    }

    fn new<H, T>(
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Gateway>,
        T: 'static,
    {
        let class = match method {
            Method::Get => Class::Read(1),
            Method::Post | Method::Delete => Class::Write(1),
        };
        Self {
            endpoint: Endpoint::new(method, path, summary),
            handler: on(filter, handler),
            class,
            timeless: false,
            unstored: false,
        }
    }

    pub(super) fn group(mut self, group: &'static str) -> Self {
        self.endpoint.group = group;
        self
    }

    pub(super) fn describe(mut self, description: impl Into<String>) -> Self {
        self.endpoint.description = description.into();
        self
    }

    pub(super) fn parameters(mut self, parameters: &[Parameter]) -> Self {
        self.endpoint.parameters.extend_from_slice(parameters);
        self
    }

    pub(super) fn takes(mut self, body: Content) -> Self {
        self.endpoint.bodies.push(body);
        self
    }

    /// Answers JSON of type `T` with this status.
    pub(super) fn json<T: Exampled>(self, status: u16, meaning: &'static str) -> Self {
        self.answers(status, meaning, Content::Json(Shape::of::<T>()))
    }

    /// Answers bytes or text with status 200.
    pub(super) fn raw(self, media: &'static str, meaning: &'static str) -> Self {
        self.answers(200, meaning, Content::Raw { media, meaning })
    }

    /// Answers server-sent events whose data is JSON of type `T`.
    pub(super) fn events<T: Exampled>(self, meaning: &'static str) -> Self {
        self.answers(200, meaning, Content::Events(Shape::of::<T>()))
    }

    /// Answers bytes with a status that is none of the fine ones.
    pub(super) fn negative(self, status: u16, media: &'static str, meaning: &'static str) -> Self {
        self.answers(status, meaning, Content::Raw { media, meaning })
    }

    /// Answers bytes with status 201.
    pub(super) fn created(self, media: &'static str, meaning: &'static str) -> Self {
        self.answers(201, meaning, Content::Raw { media, meaning })
    }

    /// Answers problems in CBOR (RFC 9290).
    pub(super) fn concise(mut self) -> Self {
        self.endpoint.problem_form = ProblemForm::Concise;
        self
    }

    fn answers(mut self, status: u16, meaning: &'static str, content: Content) -> Self {
        let known = self.endpoint.answers.iter_mut().find(|(known, ..)| *known == status);
        match known {
            Some((.., contents)) => contents.push(content),
            None => self.endpoint.answers.push((status, meaning, vec![content])),
        }
        self
    }

    /// Answers without a body.
    pub(super) fn empty(mut self, status: u16, meaning: &'static str) -> Self {
        self.endpoint.answers.push((status, meaning, Vec::new()));
        self
    }

    pub(super) fn problems<K: Into<ProblemKind> + Copy>(mut self, kinds: &[K]) -> Self {
        for kind in kinds.iter().map(|kind| (*kind).into()) {
            if !self.endpoint.problems.contains(&kind) {
                self.endpoint.problems.push(kind);
            }
        }
        self
    }

    /// Needs a key with this scope.
    pub(super) fn administers(mut self, scope: Scope) -> Self {
        self.endpoint.scope = Some(scope.name());
        self.class = Class::Admin;
        let keys = [
            EdgeCode::ApiKeyMissing,
            EdgeCode::ApiKeyUnknown,
            EdgeCode::ApiKeyExpired,
            EdgeCode::ApiKeyScope,
        ];
        self.problems(&keys)
    }

    /// What it asks of the node, where that is not what its method usually asks.
    pub(super) fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Says nothing of how long the log is: there is nothing to wait for.
    pub(super) fn timeless(mut self) -> Self {
        self.timeless = true;
        self
    }

    /// Answers what nobody is to keep, so it has no tag.
    pub(super) fn unstored(mut self) -> Self {
        self.unstored = true;
        self
    }

    /// The handler alone, for requests of this process.
    pub(super) fn bare(self) -> MethodRouter<Gateway> {
        self.handler
    }

    /// The handler behind its gate.
    pub(super) fn guarded(self, gateway: &Gateway) -> MethodRouter<Gateway> {
        let gate = Gate::new(gateway.clone(), self.class, &self.endpoint);
        self.handler.layer(from_fn_with_state(gate, gate::gate))
    }

    /// The route with what every route of its class takes and answers, and what it costs.
    pub(super) fn finished(self) -> Self {
        let mut route = self.problems(&[Code::MALFORMED]);
        if route.class == Class::Probe {
            return route;
        }
        if matches!(route.class, Class::Read(_) | Class::Stream) && !route.timeless {
            route = route.parameters(&[gate::AT_LEAST]).problems(&[EdgeCode::Behind]);
        }
        if matches!(route.class, Class::Read(_)) && !route.unstored {
            route = route.empty(304, "As `If-None-Match` says, nothing changed");
        }
        if !route.endpoint.offers().is_empty() {
            route = route.problems(&[EdgeCode::NotAcceptable]);
        }
        if !route.endpoint.takes().is_empty() {
            route = route.problems(&[EdgeCode::MediaType]);
        }
        if !route.endpoint.bodies.is_empty() {
            route = route.problems(&[Code::TOO_LONG]);
        }
        let cost = route.cost();
        let said = std::mem::take(&mut route.endpoint.description);
        format!("{said} {cost}").trim_start().clone_into(&mut route.endpoint.description);
        let class = route.class;
        let stores = route.endpoint.problems.contains(&Code::STORAGE.into());
        if stores && matches!(class, Class::Read(_) | Class::Write(_)) {
            route = route.problems(&[EdgeCode::ObjectStorage]);
        }
        let route = route.problems(&[Code::QUOTA, Code::OVERLOADED, Code::TIMEOUT]);
        match class {
            Class::Write(_) => route.problems(&[Code::NOT_READY]).problems(&[EdgeCode::Slow]),
            Class::Aside(..) => route.problems(&[EdgeCode::Slow]),
            _ => route,
        }
    }

    /// What it costs, and how much it takes.
    fn cost(&self) -> String {
        match self.class {
            Class::Probe => String::new(),
            Class::Read(cost) => format!("Costs {cost} of the source's reads."),
            Class::Stream => "Costs 10 of the source's reads, and a listener's place.".to_owned(),
            Class::Admin => "Costs 50 of the source's reads.".to_owned(),
            Class::Aside(cost, limit) => {
                format!("Costs {cost} of the source's writes. A body has at most {limit} bytes.")
            }
            Class::Write(1) => format!(
                "Costs one of the source's writes for each item; what is stored counts for the \
                 identity in whose name it is. A body has at most {BODY_LIMIT} bytes."
            ),
            Class::Write(cost) => format!(
                "Costs {cost} of the source's writes. A body has at most {BODY_LIMIT} bytes."
            ),
        }
    }
}
