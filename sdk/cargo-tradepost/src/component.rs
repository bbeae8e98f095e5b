//! What a `.wasm` file holds: sections, imports, exports, and by what it was made.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{KnownCustom, Parser, Payload};

/// The custom section in which `build` notes with what a connector was made.
pub const SDK_SECTION: &str = "tradepost-sdk";

/// The package of the contract.
const PACKAGE: &str = "tradepost:connector/";

/// What was read of a file.
#[derive(Debug, Default)]
pub struct Component {
    /// Bytes by kind of section, over all modules of the component, the largest first.
    pub sections: Vec<(String, u64)>,
    /// Names of the interfaces it imports.
    pub imports: Vec<String>,
    /// Names of the interfaces it exports.
    pub exports: Vec<String>,
    /// What the SDK noted: `0.1.0 rust`.
    pub sdk: Option<String>,
    /// Languages, compilers and tools that say to have made it, with their versions.
    pub producers: Vec<(String, String)>,
}

impl Component {
    /// Reads a file; what comes after a damaged place is missing, and why it is damaged is for the host's own check.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut component = Self::default();
        let mut sections = BTreeMap::new();
        let mut producers = BTreeSet::new();
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            let Ok(payload) = payload else { break };
            if let Some((kind, size)) = section(&payload) {
                *sections.entry(kind).or_default() += size;
            }
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    component.imports.extend(section.into_iter().flatten().map(|import| import.name.name.to_owned()));
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    component.exports.extend(section.into_iter().flatten().map(|export| export.name.name.to_owned()));
                }
                Payload::CustomSection(custom) if custom.name() == SDK_SECTION => {
                    component.sdk = Some(String::from_utf8_lossy(custom.data()).into_owned());
                }
                Payload::CustomSection(custom) => {
                    if let KnownCustom::Producers(fields) = custom.as_known() {
                        for field in fields.into_iter().flatten() {
                            for value in field.values.into_iter().flatten() {
                                producers.insert((value.name.to_owned(), value.version.to_owned()));
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        component.sections = sections.into_iter().collect();
        component.sections.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        component.producers = producers.into_iter().collect();
        component
    }

    /// The version of the contract it was built for, as its `connector` export says.
    #[must_use]
    pub fn contract(&self) -> Option<&str> {
        let named = |name: &'_ String| name.starts_with("tradepost:connector/connector");
        let name = self.exports.iter().find(|name| named(name))?;
        Some(name.split_once('@').map_or("no version", |(_, version)| version))
    }

    /// What it can do: exported interfaces of the contract, without package and version.
    pub fn abilities(&self) -> impl Iterator<Item = &str> {
        self.exports.iter().filter_map(|name| of_contract(name))
    }

    /// What it may touch at most: imported interfaces of the contract, without package and version.
    pub fn powers(&self) -> impl Iterator<Item = &str> {
        // What only declares types gives no power.
        const POWERS: [&str; 6] = ["platform", "http", "storage", "blobs", "files", "report"];
        self.imports.iter().filter_map(|name| of_contract(name)).filter(|name| POWERS.contains(name))
    }
}

fn of_contract(name: &str) -> Option<&str> {
    let name = name.strip_prefix(PACKAGE)?;
    Some(name.split_once('@').map_or(name, |(name, _)| name))
}

/// The track of a contract's version: hosts support all versions of a track.
#[must_use]
pub fn track(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("v0.{minor}"),
        (Some(major), Some(_)) => format!("v{major}"),
        _ => "unknown".to_owned(),
    }
}

/// Kind and size of a section; nothing for those that only hold others.
fn section(payload: &Payload<'_>) -> Option<(String, u64)> {
    let (kind, range) = match payload {
        Payload::CodeSectionStart { range, .. } => ("code", range.clone()),
        Payload::DataSection(reader) => ("data", reader.range()),
        Payload::CustomSection(reader) => {
            let range = reader.range();
            return Some((format!("custom `{}`", reader.name()), length(&range)));
        }
        Payload::TypeSection(reader) => ("types", reader.range()),
        Payload::ComponentTypeSection(reader) => ("types", reader.range()),
        Payload::CoreTypeSection(reader) => ("types", reader.range()),
        Payload::ImportSection(reader) => ("imports and exports", reader.range()),
        Payload::ExportSection(reader) => ("imports and exports", reader.range()),
        Payload::ComponentImportSection(reader) => ("imports and exports", reader.range()),
        Payload::ComponentExportSection(reader) => ("imports and exports", reader.range()),
        Payload::FunctionSection(reader) => ("functions and tables", reader.range()),
        Payload::ElementSection(reader) => ("functions and tables", reader.range()),
        Payload::TableSection(reader) => ("functions and tables", reader.range()),
        _ => return None,
    };
    Some((kind.to_owned(), length(&range)))
}

fn length(range: &std::ops::Range<usize>) -> u64 {
    range.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_is_what_stays_compatible() {
        assert_eq!(track("0.1.0-draft.1"), "v0.1");
        assert_eq!(track("1.4.2"), "v1");
        assert_eq!(track("no version"), "unknown");
    }

    #[test]
    fn what_is_no_component_has_nothing_in_it() {
        let component = Component::read(b"PK\x03\x04");
        assert!(component.sections.is_empty() && component.contract().is_none());
    }
}
