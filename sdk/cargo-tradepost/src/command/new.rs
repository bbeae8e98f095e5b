//! `new`: a project that builds and passes its tests at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

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
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    check(name)?;
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

/// A name does for a crate, an npm package, a Python module and a file.
fn check(name: &str) -> anyhow::Result<()> {
    let fine = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.ends_with('-')
        && name.len() <= 60;
    if fine {
        return Ok(());
    }
    Err(Hinted::new(
        format!("`{name}` cannot be the name of a connector"),
        "take small letters, digits and hyphens, beginning with a letter, e.g. `my-shop`",
    )
    .into())
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
    BTreeMap::from([
        ("name", name.to_owned()),
        ("template", args.template.name().to_owned()),
        ("module", name.replace('-', "_")),
        ("type", words.concat()),
        ("title", words.join(" ")),
        ("id", args.id.clone().unwrap_or_else(|| format!("org.example.{name}"))),
        ("vendor", args.vendor.clone()),
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

    #[test]
    fn a_name_fits_everywhere() {
        for name in ["a", "my-shop", "shop2"] {
            check(name).unwrap();
        }
        for name in ["", "My", "2a", "a_b", "a-", "a/b", "é"] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
