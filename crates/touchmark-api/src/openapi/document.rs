//! Endpoints, put together as one document.

use super::endpoint::{Content, Endpoint, Parameter, Place, ProblemForm};
use crate::{EdgeCode, Problem, media};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use touchmark_core::refusal::hint;
use touchmark_wire::registry::RefusalCode;

/// What stands above the endpoints.
const DESCRIPTION: &str = "Identity, history and ownership of things on a provable ledger. Ids \
    are text, positions are numbers, bytes are base64url without padding. Writing needs a \
    signature, never a key of this interface; sending the same bytes again is safe and answered \
    with the first position, so `Idempotency-Key` is not needed, but for taps. A problem has a \
    stable `code` and a `hint`; `x-problem-codes` lists them all. Every path that takes GET takes \
    HEAD. Parameters that a path does not have, an `Accept` that names nothing it answers and a \
    `Content-Type` that it does not take are refused. Lists go on at `next`, which is the \
    `cursor` of the next page. An `ETag` can be sent back as `If-None-Match`. Every answer has an \
    `x-request-id`, the client's own if it sent a plain one; `RateLimit-Policy` and `RateLimit` say \
    what the source has left, `Retry-After` when to come back.";

/// The OpenAPI 3.1 document of these endpoints.
pub fn document(endpoints: &[Endpoint]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = SchemaGenerator::new(settings);
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for endpoint in endpoints {
        let operation = operation(endpoint, &mut generator);
        let path = paths.entry(endpoint.documented_path()).or_default();
        path.insert(endpoint.method.name().into(), operation);
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Touchmark",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": groups(endpoints),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of `touchmark apikey create`; administration only.",
                },
            },
        },
        "x-problem-codes": problem_codes(),
    })
}

/// The groups of the endpoints, in their order.
fn groups(endpoints: &[Endpoint]) -> Vec<Value> {
    let mut names: Vec<_> = endpoints.iter().map(|endpoint| endpoint.group).collect();
    names.dedup();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": endpoint.operation(),
        "tags": [endpoint.group],
        "summary": endpoint.summary,
        "responses": responses(endpoint, generator),
    });
    if !endpoint.description.is_empty() {
        operation["description"] = endpoint.description.clone().into();
    }
    if !endpoint.parameters.is_empty() {
        operation["parameters"] = endpoint.parameters.iter().map(parameter).collect();
    }
    if !endpoint.bodies.is_empty() {
        let content = content(&endpoint.bodies, generator);
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if let Some(scope) = endpoint.scope {
        operation["security"] = json!([{ "apiKey": [] }]);
        operation["x-scope"] = scope.into();
    }
    operation
}

fn parameter(parameter: &Parameter) -> Value {
    let place = match parameter.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    let number = parameter.example.parse::<u64>();
    let (kind, example) = match number {
        Ok(number) => ("integer", number.into()),
        Err(_) => ("string", Value::from(parameter.example)),
    };
    json!({
        "name": parameter.name,
        "in": place,
        "required": parameter.place == Place::Path,
        "description": parameter.meaning,
        "schema": { "type": kind },
        "example": example,
    })
}

fn content(contents: &[Content], generator: &mut SchemaGenerator) -> Map<String, Value> {
    let one = |content: &Content| match content {
        Content::Json(shape) => {
            let schema = (shape.schema)(generator);
            let body = json!({ "schema": schema, "example": (shape.example)() });
            (content.media().to_owned(), body)
        }
        Content::Events(shape) => {
            let data = (shape.example)();
            let kind = data["type"].as_str().unwrap_or_default();
            let example = format!("id: 17.0\nevent: {kind}\ndata: {data}\n\n");
            let schema = json!({ "type": "string", "x-data": (shape.schema)(generator) });
            (content.media().to_owned(), json!({ "schema": schema, "example": example }))
        }
        Content::Raw { media, meaning } => {
            let schema = if media.starts_with("text/") {
                json!({ "type": "string", "description": meaning })
            } else {
                json!({ "description": meaning, "contentMediaType": media })
            };
            ((*media).to_owned(), json!({ "schema": schema }))
        }
    };
    contents.iter().map(one).collect()
}

fn responses(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, meaning, contents) in &endpoint.answers {
        let mut response = json!({ "description": meaning });
        if !contents.is_empty() {
            response["content"] = content(contents, generator).into();
        }
        responses.insert(status.to_string(), response);
    }
    let mut negative: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
    for kind in &endpoint.problems {
        let problem = kind.problem("one sentence about this request");
        negative.entry(problem.status).or_default().push(problem);
    }
    let schema = generator.subschema_for::<Problem>();
    for (status, problems) in negative {
        let codes: Vec<_> = problems.iter().map(|problem| problem.code.as_str()).collect();
        let content = match endpoint.problem_form {
            ProblemForm::Json => {
                let shown = examples(&problems, |problem| json!(problem));
                json!({ media::PROBLEM: { "schema": schema, "examples": shown } })
            }
            ProblemForm::Concise => {
                // CBOR in diagnostic notation (RFC 8949 §8).
                let text = |problem: &Problem| minicbor::display(&problem.to_concise()).to_string();
                let shown = examples(&problems, |problem| text(problem).into());
                let meaning = "Concise problem details (RFC 9290), shown in diagnostic notation";
                let schema =
                    json!({ "description": meaning, "contentMediaType": media::CONCISE_PROBLEM });
                json!({ media::CONCISE_PROBLEM: { "schema": schema, "examples": shown } })
            }
        };
        let response = json!({ "description": codes.join(", "), "content": content });
        responses.insert(status.to_string(), response);
    }
    responses
}

/// Problems by their code.
fn examples(problems: &[Problem], shown: impl Fn(&Problem) -> Value) -> Map<String, Value> {
    problems.iter().map(|it| (it.code.clone(), json!({ "value": shown(it) }))).collect()
}

/// Every code, whether or not a route says that it answers it.
fn problem_codes() -> Vec<Value> {
    let refusals = RefusalCode::ROWS.iter().map(|row| {
        let code = RefusalCode(u16::try_from(row.number).unwrap_or_default());
        let problem = Problem::new(code, "");
        (problem, row.meaning.trim(), hint(code))
    });
    let edge = EdgeCode::ALL.iter().map(|code| {
        let row = code.row();
        (Problem::of_edge(*code, ""), row.meaning, row.hint)
    });
    refusals
        .chain(edge)
        .map(|(problem, meaning, hint)| {
            let (code, status) = (problem.code, problem.status);
            json!({ "code": code, "status": status, "meaning": meaning, "hint": hint })
        })
        .collect()
}
