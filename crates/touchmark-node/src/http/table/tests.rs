use super::routes;
use crate::http::{document, scitt};
use std::collections::{BTreeMap, BTreeSet};
use touchmark_api::openapi::{Content, Place, ProblemForm};

#[test]
fn the_document_has_every_route_and_no_other() {
    let document = document();
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys().cloned();
            methods.map(|method| (path.clone(), method)).collect::<Vec<_>>()
        })
        .collect();
    let routed: BTreeSet<(String, String)> = routes()
        .iter()
        .map(|route| (route.endpoint.documented_path(), route.endpoint.method.name().to_owned()))
        .collect();
    assert_eq!(documented, routed);
    assert_eq!(routed.len(), routes().len(), "a route stands twice");
}

#[test]
fn every_example_parses_with_its_type() {
    let document = document();
    let mut parsed = 0;
    for route in routes() {
        let endpoint = route.endpoint;
        let path = endpoint.documented_path();
        let operation = &document["paths"][&path][endpoint.method.name()];
        let bodies = [(&operation["requestBody"], &endpoint.bodies)].into_iter();
        let answers = endpoint
            .answers
            .iter()
            .map(|(status, _, contents)| (&operation["responses"][status.to_string()], contents));
        for (shown, contents) in bodies.chain(answers) {
            for content in contents {
                let Content::Json(shape) = content else { continue };
                let example = &shown["content"]["application/json"]["example"];
                shape.parse(example).unwrap_or_else(|error| panic!("{path}: {error}: {example}"));
                parsed += 1;
            }
        }
    }
    assert!(parsed > 15, "{parsed}");
}

#[test]
fn every_reference_leads_to_a_schema() {
    let document = document();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let named: BTreeSet<&str> = text
        .split("\"#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(named.contains("Problem"), "{named:?}");
    for name in named {
        assert!(schemas.contains_key(name), "{name}");
    }
}

#[test]
fn problems_are_concise_where_the_document_says_so() {
    for route in routes() {
        let path = route.endpoint.path;
        let concise = route.endpoint.problem_form == ProblemForm::Concise;
        assert_eq!(scitt::has_concise_problems(path), concise, "{path}");
    }
    for other in ["/entriesx", "/", "/v1/entries", "/.well-known/scitt-keysx"] {
        assert!(!scitt::has_concise_problems(other), "{other}");
    }
}

#[test]
fn every_parameter_of_a_path_is_described_and_no_name_stands_twice() {
    let mut operations = BTreeMap::new();
    for route in routes() {
        let endpoint = route.endpoint;
        let in_path: BTreeSet<&str> = endpoint
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| name.trim_start_matches('*'))
            .collect();
        let named = |place| {
            let parameters = endpoint.parameters.iter();
            parameters.filter(move |it| it.place == place).map(|it| it.name).collect::<Vec<_>>()
        };
        let described = named(Place::Path);
        assert_eq!(
            described.iter().copied().collect::<BTreeSet<_>>(),
            in_path,
            "{}",
            endpoint.path
        );
        let query = named(Place::Query);
        assert_eq!(query.iter().collect::<BTreeSet<_>>().len(), query.len(), "{}", endpoint.path);
        let before = operations.insert(endpoint.operation(), endpoint.path);
        assert_eq!(before, None, "two operations of one name");
    }
}
