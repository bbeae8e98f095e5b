//! The files of a new project, which travel in the program.
//!
//! A folder per language, in it `all` for every template of the language, `rest` for those with a simulator, which speaks
//! HTTP, and one folder per template; beside them `common` in the same manner. Names: `dot-` stands for a point in
//! front, `.in` at the end goes away. `{{name}}` and its like are replaced in every file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::project::Language;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// What a project is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Template {
    /// Shop or marketplace with a REST interface; comes with a simulator of one
    Shop,
    /// ERP with a REST interface, from which products come and to which orders go; comes with a simulator of one
    Erp,
    /// Files in an exchange folder; comes with a simulator of an ERP that works by them
    File,
}

impl Template {
    /// Name of its folders.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Erp => "erp",
            Self::File => "file",
        }
    }

    /// The folders that its files come from, in a language or in `common`.
    fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Shop => &["all", "rest", "shop"],
            Self::Erp => &["all", "rest", "erp"],
            Self::File => &["all", "rest", "file"],
        }
    }
}

/// Files by path, with the values in their places.
///
/// # Errors
/// A place without a value: a mistake in the template.
pub fn files(
    language: Language,
    template: Template,
    values: &BTreeMap<&str, String>,
) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut made = BTreeMap::new();
    let language = language.to_string();
    let places = ["common", &language].into_iter().flat_map(|of| template.folders().iter().map(move |one| (of, one)));
    for place in places.map(|(of, one)| format!("{of}/{one}")) {
        let Some(dir) = TEMPLATES.get_dir(&place) else { continue };
        let mut dirs = vec![dir];
        while let Some(dir) = dirs.pop() {
            dirs.extend(dir.dirs());
            for file in dir.files() {
                let path = file.path().strip_prefix(&place)?;
                let text = file.contents_utf8().ok_or_else(|| anyhow::anyhow!("{} is no text", path.display()))?;
                made.insert(named(path, values)?, filled(text, values, path)?);
            }
        }
    }
    Ok(made)
}

/// What the README says of a template beside what it says of the language.
pub struct About {
    /// Rows of its table of files.
    pub files: &'static str,
    /// A paragraph.
    pub extra: &'static str,
}

/// What the README says of a template.
#[must_use]
pub fn about(language: Language, template: Template) -> About {
    let files = match (language, template) {
        (Language::Rust, Template::File) => {
            "| `src/map.rs` | conversions between its files' shapes and the contract's |\n\
             | `simulator/` | an ERP that works by the files of `docs/` |"
        }
        (Language::TypeScript, Template::File) => {
            "| `src/map.ts` | conversions between its files' shapes and the contract's |\n\
             | `simulator/` | an ERP that works by the files of `docs/` |"
        }
        (Language::Python, Template::File) => {
            "| `src/mapping.py` | conversions between its files' shapes and the contract's |\n\
             | `simulator/` | an ERP that works by the files of `docs/` |"
        }
        (Language::Rust, _) => {
            "| `src/wire.rs`, `src/map.rs` | the platform's shapes, and conversions between them and the contract's |\n\
             | `fixtures/` | what the platform answers |\n| `simulator/` | the platform of `docs/`, in memory |"
        }
        (Language::TypeScript, _) => {
            "| `src/wire.ts`, `src/map.ts` | the platform's shapes, and conversions between them and the contract's |\n\
             | `fixtures/` | what the platform answers |\n| `simulator/` | the platform of `docs/`, in memory |"
        }
        (Language::Python, _) => {
            "| `src/mapping.py` | conversions between the platform's shapes and the contract's |\n\
             | `fixtures/` | what the platform answers |\n| `simulator/` | the platform of `docs/`, in memory |"
        }
    };
    let extra = match template {
        Template::Shop => {
            "\nTo make it yours: replace `docs/` by your platform's documentation, the fixtures by its answers, then go from the \
             shapes over the conversions to the calls, and let the simulator follow.\n"
        }
        Template::Erp => {
            "\nAn order is made in two steps, a draft and its confirmation. What exists after the first is settled as `partial`, so \
             that a cut ends in a resume; by `external_reference`, which carries the host's marker, the ERP makes an order once and \
             `find` sees it again. What the ERP makes of an order comes back by reading: its number, its state, its deliveries.\n\n\
             To make it yours: replace `docs/` by your ERP's documentation, the fixtures by its answers, then go from the shapes \
             over the conversions to the calls, and let the simulator follow.\n"
        }
        Template::File => {
            "\nThe operator names an exchange folder. Products come in as `inbox/products-*.json`; orders go out as \
             `outbox/order-NUMBER.json`. The suite keeps such a folder for its tests and tells the simulator where it is.\n"
        }
    };
    About { files, extra }
}

/// Whether there is such a template.
#[must_use]
pub fn exists(language: Language, template: Template) -> bool {
    TEMPLATES.get_dir(folder(&language.to_string(), template)).is_some()
}

fn folder(language: &str, template: Template) -> String {
    format!("{language}/{}", template.name())
}

/// The name that a file gets.
fn named(path: &Path, values: &BTreeMap<&str, String>) -> anyhow::Result<PathBuf> {
    let text = filled(&path.to_string_lossy(), values, path)?;
    let text = text.strip_suffix(".in").unwrap_or(&text);
    let part = |part: &str| part.strip_prefix("dot-").map_or_else(|| part.to_owned(), |rest| format!(".{rest}"));
    Ok(text.split('/').map(part).collect())
}

fn filled(text: &str, values: &BTreeMap<&str, String>, path: &Path) -> anyhow::Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let place = after.split_once("}}").filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        match place {
            Some((name, after)) => {
                let value = values.get(name);
                let value =
                    value.ok_or_else(|| anyhow::anyhow!("{}: nothing is known of {{{{{name}}}}}", path.display()))?;
                out.push_str(value);
                rest = after;
            }
            // Braces of the language itself.
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_other_braces_left() {
        let values = BTreeMap::from([("name", "acorn".to_owned())]);
        let fill = |text: &str| filled(text, &values, Path::new("x"));
        assert_eq!(fill("a {{name}} b ${{ matrix }} {{").unwrap(), "a acorn b ${{ matrix }} {{");
        assert!(fill("{{nothing}}").is_err());
        assert_eq!(named(Path::new("dot-vscode/{{name}}.json.in"), &values).unwrap(), Path::new(".vscode/acorn.json"));
    }
}
