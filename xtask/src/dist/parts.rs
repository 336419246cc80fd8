//! What is linked into the binary: our crates, and those of others, as cargo resolves them.

use super::PACKAGE;
use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The crates that the binary is made of.
pub(super) struct Parts {
    /// The one that makes the binary.
    pub(super) root: Part,
    /// All others, sorted by name and version.
    pub(super) others: Vec<Part>,
}

/// A crate in the binary.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) version: String,
    /// An expression of SPDX.
    pub(super) license: Option<String>,
    pub(super) manifest: PathBuf,
    pub(super) origin: Origin,
    /// The parts that it needs itself: name and version.
    pub(super) needs: BTreeSet<(String, String)>,
}

/// Whose a crate is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Origin {
    /// A member of this workspace.
    Own,
    /// From a registry or another repository.
    Foreign,
}

impl Parts {
    /// Asks cargo. What only builds or tests the binary is no part of it.
    pub(super) fn of(workspace: &Workspace, target: &str) -> Result<Self> {
        let arguments =
            ["metadata", "--format-version", "1", "--locked", "--filter-platform", target];
        let json = process::output(&mut workspace.cargo(arguments))?;
        Self::read(&json)
    }

    fn read(json: &str) -> Result<Self> {
        let metadata: Metadata =
            serde_json::from_str(json).context("unexpected answer of cargo metadata")?;
        let packages: BTreeMap<&str, &Package> =
            metadata.packages.iter().map(|package| (&*package.id, package)).collect();
        let nodes: BTreeMap<&str, &Node> =
            metadata.resolve.nodes.iter().map(|node| (&*node.id, node)).collect();
        let root = metadata.packages.iter().find(|package| package.name == PACKAGE);
        let root = root.context("the binary's package is gone")?;
        let mut found = BTreeMap::new();
        let mut open = vec![&*root.id];
        while let Some(id) = open.pop() {
            if found.contains_key(id) {
                continue;
            }
            let (package, node) = packages.get(id).zip(nodes.get(id)).context(id.to_owned())?;
            let linked: Vec<&str> = node.linked().collect();
            let names = linked.iter().filter_map(|id| packages.get(id));
            let needs = names.map(|it| (it.name.clone(), it.version.clone())).collect();
            found.insert(id, package.part(needs));
            open.extend(linked);
        }
        let root = found.remove(&*root.id).context("the binary's package is gone")?;
        let mut others: Vec<Part> = found.into_values().collect();
        others.sort();
        Ok(Self { root, others })
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: PathBuf,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

/// A package with what it was resolved to need.
#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// `None` for ordinary ones, else `dev` or `build`.
    kind: Option<String>,
}

impl Node {
    fn linked(&self) -> impl Iterator<Item = &str> {
        let is_linked = |edge: &&Edge| edge.dep_kinds.iter().any(|it| it.kind.is_none());
        self.deps.iter().filter(is_linked).map(|edge| &*edge.pkg)
    }
}

impl Package {
    fn part(&self, needs: BTreeSet<(String, String)>) -> Part {
        Part {
            name: self.name.clone(),
            version: self.version.clone(),
            // Older crates write a slash, which is none of SPDX's operators.
            license: self.license.as_ref().map(|text| text.replace('/', " OR ")),
            manifest: self.manifest_path.clone(),
            origin: if self.source.is_some() { Origin::Foreign } else { Origin::Own },
            needs,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A binary that links `a`, which links `b`; `c` only builds `a`, and `d` only tests it.
    pub(in crate::dist) fn sample() -> Parts {
        let package = |name: &str, source: &str| {
            format!(
                r#"{{"id": "{name}", "name": "{name}", "version": "1.0.0", "source": {source},
                    "license": "MIT/Apache-2.0", "manifest_path": "/none/{name}/Cargo.toml"}}"#
            )
        };
        let edge = |name: &str, kind: &str| {
            format!(r#"{{"pkg": "{name}", "dep_kinds": [{{"kind": {kind}}}]}}"#)
        };
        let foreign = ["b", "a", "c", "d"].map(|name| package(name, "\"registry\"")).join(",");
        let json = format!(
            r#"{{"packages": [{}, {foreign}], "resolve": {{"nodes": [
                {{"id": "touchmark-node", "deps": [{}, {}]}},
                {{"id": "a", "deps": [{}, {}]}},
                {{"id": "b", "deps": []}}, {{"id": "c", "deps": []}}, {{"id": "d", "deps": []}}]}}}}"#,
            package(PACKAGE, "null"),
            edge("a", "null"),
            edge("d", "\"dev\""),
            edge("b", "null"),
            edge("c", "\"build\""),
        );
        Parts::read(&json).unwrap()
    }

    #[test]
    fn parts_are_what_is_linked() {
        let parts = sample();
        assert_eq!(parts.root.origin, Origin::Own);
        let names: Vec<&str> = parts.others.iter().map(|part| &*part.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(parts.others[0].license.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(parts.others[0].needs, [("b".to_owned(), "1.0.0".to_owned())].into());
    }
}
