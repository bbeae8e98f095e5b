//! A connector's developer at work: a project from a template, built at a save, and in a running host without a restart.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use cargo_tradepost::command::new;
use cargo_tradepost::project::Language;
use cargo_tradepost::sign;
use cargo_tradepost::template::Template;
use reqwest::Method;
use tokio::process::Command;
use tradepost_tests::build;
use tradepost_tests::host::Told;

use crate::place;

/// What two projects are built from is built once, and kept from one test run to the next.
fn target(tool: &Path) -> Result<std::path::PathBuf> {
    Ok(tool.ancestors().nth(2).context("it lies in a target folder")?.join("projects"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_developer_saves_is_served_by_a_host_that_takes_only_what_is_signed() -> Result<()> {
    let (root, place) = place().await?;
    let tool = tokio::task::spawn_blocking(build::tool).await??;
    let project = root.path().join("acorn");
    new::make(&new::Args {
        folder: project.clone(),
        lang: Language::Rust,
        template: Template::File,
        id: None,
        vendor: r#"Acorn "Ltd" \\ Sons"#.to_owned(),
        sdk: None,
    })?;
    let key = root.path().join("my.key");
    let public = sign::generate(&key, None)?;
    let signers = format!(
        "\n[signatures]\nrequire-signed = true\n\n[[signatures.signers]]\nkey = \"{public}\"\nids = [\"org.example.*\"]\n"
    );
    std::fs::write(place.config(), tradepost_tests::trade::CONFIG.to_owned() + &signers)?;
    let mut host = place.spawn()?;
    host.ready().await?;

    let (plugins, data, projects) = (place.plugins(), place.data(), target(&tool)?);
    let watch = async |words: &[&Path]| -> Result<Told> {
        let mut command = Command::new(&tool);
        command.args(["watch", "--once", "--plugins"]).arg(&plugins).arg("--data").arg(&data).args(words);
        command.current_dir(&project).env("CARGO_TARGET_DIR", &projects).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Told { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) })
    };
    let unsigned = watch(&[]).await?.ended(1)?;
    assert!(unsigned.contains("the host waits: it waits for its signature") && !unsigned.contains("()"), "{unsigned}");
    let served = watch(&[Path::new("--sign"), &key]).await?.ended(0)?;
    assert!(
        served.contains("the host serves org.example.acorn 0.1.0; ") && served.contains("after the save"),
        "{served}"
    );
    let listed = host.ask(Method::GET, "/plugins/acorn.wasm", None).await?;
    assert_eq!(listed["standing"], "serving", "{listed}");
    assert_eq!(listed["description"]["vendor"], r#"Acorn "Ltd" \\ Sons"#, "{listed}");

    // Saved once more: the signature is of the new bytes.
    let source = project.join("src/lib.rs");
    std::fs::write(
        &source,
        std::fs::read_to_string(&source)?.replace("Products come from files", "Files hold products"),
    )?;
    let served = watch(&[Path::new("--sign"), &key]).await?.ended(0)?;
    assert!(served.contains("the host serves org.example.acorn 0.1.0; "), "{served}");
    let listed = host.ask(Method::GET, "/plugins/acorn.wasm", None).await?;
    assert!(listed["description"]["about"].to_string().contains("Files hold products"), "{listed}");
    host.stop().await?;
    Ok(())
}
