//! The same pull through a connector in each language that the SDK is for. Those that are not in Rust are made by the
//! developer's tool, as a developer would make them, which needs npm and PyPI.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_tradepost::command::new;
use cargo_tradepost::project::{FILE, Language, Project};
use cargo_tradepost::template::Template;

use crate::figure::Figure;
use crate::platform::Platform;
use crate::{floor, traffic};

/// Products through each language, next to the native loop.
pub(crate) async fn pulls(rust: &Path, count: usize) -> Result<Vec<Figure>> {
    let root = tempfile::tempdir()?;
    let connectors = [
        ("Rust", rust.to_owned()),
        ("TypeScript", other(root.path(), Language::TypeScript)?),
        ("Python", other(root.path(), Language::Python)?),
    ];
    let platform = Platform::start(count)?;
    let mut figures = Vec::new();
    for (language, connector) in connectors {
        let (_site, host) = traffic::source_host(&connector, &platform, count).await?;
        let floor = count as f64 / floor::seconds(&platform.url, "products", count, &root.path().join(language))?;
        let rate = count as f64 / traffic::pull(&host, "product", count).await?;
        let peak = host.peak()?;
        host.stop().await?;
        figures.push(Figure::new(format!("pull products, {language}"), rate, "records/s").beside("floor", floor));
        figures.push(Figure::new(format!("peak memory, {language}"), peak, "MB"));
    }
    Ok(figures)
}

/// Makes a project, puts the benchmarks' connector into it, and builds it.
fn other(root: &Path, language: Language) -> Result<PathBuf> {
    let name = format!("bench-{language}");
    let folder = root.join(&name);
    let (file, text) = match language {
        Language::Python => ("connector.py", include_str!("../connector/languages/connector.py")),
        _ => ("connector.ts", include_str!("../connector/languages/connector.ts")),
    };
    let vendor = "Tradepost".to_owned();
    new::make(&new::Args {
        folder: folder.clone(),
        lang: language,
        template: Template::File,
        id: None,
        vendor,
        sdk: None,
    })?;
    let src = folder.join("src");
    for of_the_template in [src.clone(), folder.join("test"), folder.join("tests")] {
        if of_the_template.exists() {
            std::fs::remove_dir_all(of_the_template)?;
        }
    }
    std::fs::create_dir(&src)?;
    std::fs::write(src.join(file), text)?;
    let manifest = format!("name = \"{name}\"\nlanguage = \"{language}\"\nworld = \"reader\"\n");
    std::fs::write(folder.join(FILE), manifest)?;
    Project::find(&folder)?.build().with_context(|| format!("the benchmarks' connector in {language}"))
}
