//! `new`: a project that builds and passes its tests at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tradepost::model::description::is_id;
use tradepost::runtime::log::hidden;

use crate::cli::Exit;
use crate::failure::Hinted;
use crate::output::line;
use crate::project::Language;
use crate::template::{self, Template};

/// What `new` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The project holds a connector that works, its tests, fixtures, CI file and editor set-up; `shop` and `erp` bring a simulator of the platform \
that `docs/` describes. Change it step by step into the connector that you need.

Example:
  cargo tradepost new my-shop --lang ts
  cd my-shop && cargo tradepost build && cargo tradepost test
  cargo tradepost new my-erp --lang python --template erp")]
pub struct Args {
    /// Folder to make; its name is the connector's name
    #[arg(value_name = "NAME")]
    pub folder: PathBuf,
    /// Language
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Language,
    /// What kind of platform
    #[arg(long, value_name = "KIND", default_value = "shop")]
    pub template: Template,
    /// Id of the connector, a reverse domain name that never changes [default: org.example.NAME]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Who makes it, as operators see it
    #[arg(long, value_name = "NAME", default_value = "Example")]
    pub vendor: String,
    /// Folder `sdk` of a clone of Tradepost, to be used in place of the published SDK [default: the clone that this program was
    /// built in, if it is still there]
    #[arg(long, value_name = "FOLDER")]
    pub sdk: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let files = make(args)?;
    let (shown, lang, template) = (args.folder.display(), args.lang, args.template.name());
    line(format!("{shown}: a connector in {lang} for a platform of the kind `{template}`, {files} files"));
    line(format!(
        "\nNext:\n  cd {shown}\n  cargo tradepost build\n  cargo tradepost test\n\nREADME.md says what is where."
    ));
    Ok(Exit::Done)
}

/// Makes the project and says nothing; returns how many files it has.
///
/// # Errors
/// The name cannot be one, or the folder is there already.
pub fn make(args: &Args) -> anyhow::Result<usize> {
    let Args { folder, lang, template, .. } = args;
    // The folder that one is in has its name from above.
    let place = std::path::absolute(folder)?;
    let name = place.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    check(name, *lang)?;
    check_words(args)?;
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Hinted::new(
            format!("{} is there already and not empty", folder.display()),
            "choose another name, or take its files away first",
        )
        .into());
    }
    if !template::exists(*lang, *template) {
        anyhow::bail!("there is no template `{}` for {lang}", template.name());
    }
    let sdk = Sdk::find(args.sdk.as_deref())?;
    let files = template::files(*lang, *template, &values(name, args, &sdk))?;
    for (path, text) in &files {
        let path = folder.join(path);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        written.with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(files.len())
}

/// A name does for a crate, an npm package, a Python project and a file.
fn check(name: &str, lang: Language) -> anyhow::Result<()> {
    let fine = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.ends_with('-')
        && name.len() <= 60;
    if !fine {
        let hint = "take small letters, digits and hyphens, beginning with a letter, e.g. `my-shop`";
        return Err(Hinted::new(format!("`{name}` cannot be the name of a connector"), hint).into());
    }
    let (keywords, packages) = taken(lang);
    let module = name.replace('-', "_");
    let why = if keywords.split(' ').any(|word| word == module) {
        "it is a word of the language"
    } else if packages.split(' ').any(|package| package == module) {
        "a package that the connector is built with has this name"
    } else {
        return Ok(());
    };
    let hint = format!("take another, e.g. `{name}-connector`");
    Err(Hinted::new(format!("`{name}` cannot be the name of a connector in {lang}: {why}"), hint).into())
}

/// Names that the code of a language cannot have: its own words, and the packages of the templates.
fn taken(lang: Language) -> (&'static str, &'static str) {
    match lang {
        Language::Rust => (
            "abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if \
             impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try \
             type typeof unsafe unsized use virtual where while yield",
            "alloc core jiff proc_macro serde serde_json std test tiny_http tradepost_sdk",
        ),
        Language::TypeScript => (
            "arguments await break case catch class const continue debugger default delete do else enum eval export extends \
             false finally for function if implements import in instanceof interface let new null package private protected \
             public return static super switch this throw true try typeof var void while with yield",
            "componentize_qjs core_js esbuild node typescript",
        ),
        Language::Python => (
            "and as assert async await break case class continue def del elif else except finally for from global if import in \
             is lambda match nonlocal not or pass raise return try type while with yield",
            "componentize_py mypy pip pyright python setuptools tradepost_sdk",
        ),
    }
}

/// What ends up in the connector's description is what a host takes there.
fn check_words(args: &Args) -> anyhow::Result<()> {
    if let Some(id) = args.id.as_ref().filter(|id| !is_id(id)) {
        let hint = "take a domain of yours from behind and a name, in small letters, e.g. `com.example.my-shop`";
        return Err(Hinted::new(format!("`{id}` cannot be the id of a connector"), hint).into());
    }
    if args.vendor.trim().is_empty() || args.vendor.chars().any(hidden) {
        let hint = "say who makes the connector, e.g. `--vendor \"Acorn Ltd\"`";
        return Err(Hinted::new("the vendor is empty, or has characters that nobody sees", hint).into());
    }
    Ok(())
}

/// A text between the quotes of all three languages.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Where the SDK comes from.
enum Sdk {
    Published,
    Clone(PathBuf),
}

impl Sdk {
    fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(folder) = named {
            let folder = folder.canonicalize().with_context(|| format!("{} cannot be read", folder.display()))?;
            if !is_sdk(&folder) {
                return Err(Hinted::new(
                    format!("{} is not the folder `sdk` of a clone of Tradepost", folder.display()),
                    "leave `--sdk` out to use the published SDK",
                )
                .into());
            }
            return Ok(Self::Clone(folder));
        }
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|folder| is_sdk(folder));
        Ok(own.map_or(Self::Published, |folder| Self::Clone(folder.to_owned())))
    }
}

fn is_sdk(folder: &Path) -> bool {
    ["Cargo.toml", "npm/package.json", "pypi/pyproject.toml"].iter().all(|file| folder.join(file).is_file())
}

fn values(name: &str, args: &Args, sdk: &Sdk) -> BTreeMap<&'static str, String> {
    let version = env!("CARGO_PKG_VERSION");
    let (rust, npm, pypi) = match sdk {
        Sdk::Published => (format!("version = \"{version}\""), version.to_owned(), format!("tradepost-sdk=={version}")),
        Sdk::Clone(folder) => {
            let folder = folder.display();
            (
                format!("path = \"{folder}\""),
                format!("file:{folder}/npm"),
                format!("tradepost-sdk @ file://{folder}/pypi"),
            )
        }
    };
    let about = template::about(args.lang, args.template);
    let words: Vec<String> = name.split('-').filter(|word| !word.is_empty()).map(capital).collect();
    // Tests have a module of the template's name, their simulator.
    let above = if name == args.template.name() { "::" } else { "" };
    let module = format!("{above}{}", name.replace('-', "_"));
    BTreeMap::from([
        ("name", name.to_owned()),
        ("template", args.template.name().to_owned()),
        ("module", module),
        // A type `Shop` or `String` would be another one already.
        ("type", format!("{}Connector", words.concat())),
        ("title", words.join(" ")),
        ("id", args.id.clone().unwrap_or_else(|| format!("org.example.{name}"))),
        ("vendor", quoted(&args.vendor)),
        ("files", about.files.to_owned()),
        ("extra", about.extra.to_owned()),
        ("rust-sdk", rust),
        ("npm-sdk", npm),
        ("pypi-sdk", pypi),
    ])
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Language; 3] = [Language::Rust, Language::TypeScript, Language::Python];

    #[test]
    fn a_name_fits_everywhere() {
        for language in ALL {
            for name in ["a", "my-shop", "shop2", "shop", "string", "match-maker"] {
                check(name, language).unwrap();
            }
            for name in ["", "My", "2a", "a_b", "a-", "a/b", "é"] {
                assert!(check(name, language).is_err(), "{name}");
            }
        }
    }

    #[test]
    fn a_word_of_the_language_is_no_name_nor_is_what_it_is_built_with() {
        let said = |name: &str, language| check(name, language).unwrap_err().to_string();
        for (name, language) in [
            ("match", Language::Rust),
            ("fn", Language::Rust),
            ("self", Language::Rust),
            ("class", Language::TypeScript),
            ("lambda", Language::Python),
        ] {
            assert!(said(name, language).ends_with("it is a word of the language"), "{name}");
        }
        for (name, language) in [
            ("tradepost-sdk", Language::Rust),
            ("serde", Language::Rust),
            ("serde-json", Language::Rust),
            ("typescript", Language::TypeScript),
            ("tradepost-sdk", Language::Python),
        ] {
            assert!(said(name, language).ends_with("has this name"), "{name}");
        }
    }

    #[test]
    fn a_connector_may_be_called_as_its_kind() {
        let root = tempfile::tempdir().unwrap();
        for (name, used) in [("shop", "use ::shop::ShopConnector;"), ("acorn", "use acorn::AcornConnector;")] {
            let args = Args {
                folder: root.path().join(name),
                lang: Language::Rust,
                template: Template::Shop,
                id: None,
                vendor: "Acorn".to_owned(),
                sdk: None,
            };
            make(&args).unwrap();
            let tests = std::fs::read_to_string(args.folder.join("tests/connector.rs")).unwrap();
            assert!(tests.contains(used), "{name}");
        }
    }

    #[test]
    fn a_vendor_stays_a_text_and_an_id_is_one_that_a_host_takes() {
        let root = tempfile::tempdir().unwrap();
        let args = |lang, name: &str, id: Option<&str>, vendor: &str| Args {
            folder: root.path().join(name),
            lang,
            template: Template::Shop,
            id: id.map(str::to_owned),
            vendor: vendor.to_owned(),
            sdk: None,
        };
        for (lang, file) in ALL.into_iter().zip(["lib.rs", "connector.ts", "connector.py"]) {
            let name = format!("a-{lang}");
            make(&args(lang, &name, Some("com.acorn.shop"), r#"A "B" \ GmbH"#)).unwrap();
            let text = std::fs::read_to_string(root.path().join(name).join("src").join(file)).unwrap();
            assert!(text.contains(r#""A \"B\" \\ GmbH""#), "{lang}");
        }
        for id in ["shop", "Com.Acorn.Shop", "com..shop", "com.acorn\".shop", ""] {
            let refused = make(&args(Language::Rust, "b", Some(id), "Acorn")).unwrap_err();
            assert!(refused.to_string().ends_with("cannot be the id of a connector"), "{refused}");
        }
        for vendor in ["", " ", "a\nb", "\u{202e}a"] {
            assert!(make(&args(Language::Rust, "b", None, vendor)).is_err(), "{vendor:?}");
        }
        assert!(!root.path().join("b").exists());
    }
}
