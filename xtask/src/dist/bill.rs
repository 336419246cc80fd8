//! The bill of materials: what is in the binary, for whoever looks for known weaknesses.
//!
//! CycloneDX 1.5 as JSON, with nothing that differs between two runs: neither time nor serial number.

use super::Release;
use super::contents::File;
use super::parts::{Part, Parts};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Its name in a release.
pub(super) const NAME: &str = "touchmark.cdx.json";

/// Writes the bill into a folder, beside what it is about; its name.
pub(super) fn write(release: &Release, contents: &[File], folder: &Path) -> Result<String> {
    let bill = contents.iter().find(|file| file.bundled == NAME).context("there is no bill")?;
    let name = format!("{}.cdx.json", release.name());
    fs::write(folder.join(&name), &bill.bytes).context(name.clone())?;
    Ok(name)
}

pub(super) fn document(parts: &Parts) -> Result<String> {
    let mut product = component("application", &parts.root);
    product["name"] = "touchmark".into();
    let components: Vec<Value> =
        parts.others.iter().map(|part| component("library", part)).collect();
    let all = std::iter::once(&parts.root).chain(&parts.others);
    let dependencies: Vec<Value> = all
        .map(|part| {
            let needs = part.needs.iter().map(|(name, version)| url(name, version));
            json!({ "ref": reference(part), "dependsOn": needs.collect::<Vec<_>>() })
        })
        .collect();
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": product },
        "components": components,
        "dependencies": dependencies,
    });
    Ok(serde_json::to_string(&document)? + "\n")
}

fn component(kind: &str, part: &Part) -> Value {
    let mut component = json!({
        "type": kind,
        "bom-ref": reference(part),
        "name": part.name,
        "version": part.version,
        "purl": reference(part),
    });
    if let Some(license) = &part.license {
        component["licenses"] = json!([{ "expression": license }]);
    }
    component
}

fn reference(part: &Part) -> String {
    url(&part.name, &part.version)
}

/// The package URL of a crate, in which a sign of build metadata is escaped.
fn url(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::parts::tests::sample;

    #[test]
    fn every_part_is_billed_once_and_every_reference_leads_somewhere() {
        let text = document(&sample()).unwrap();
        let bill: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(bill["metadata"]["component"]["name"], "touchmark");
        let parts = bill["components"].as_array().unwrap().iter();
        let urls: Vec<&str> = parts.map(|part| part["bom-ref"].as_str().unwrap()).collect();
        assert_eq!(urls, ["pkg:cargo/a@1.0.0", "pkg:cargo/b@1.0.0"]);
        assert_eq!(bill["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        for dependency in bill["dependencies"].as_array().unwrap() {
            for need in dependency["dependsOn"].as_array().unwrap() {
                assert!(urls.contains(&need.as_str().unwrap()), "{need}");
            }
        }
        assert_eq!(url("x", "1.0.0+2"), "pkg:cargo/x@1.0.0%2B2");
    }
}
