//! Builds connectors written in TypeScript or JavaScript: node bundles them with the SDK's own script, and componentize-qjs
//! makes the component.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    Error, Progress, Step,
    system::{Machine, System, last_lines},
    tools::{Node, TOOLS_VARIABLE, Tools},
};

/// The SDK's script, in a project.
const SCRIPT: &str = "node_modules/@tradepost/sdk/bin/tradepost-sdk.mjs";

/// A project in TypeScript with everything that it is built with.
#[derive(Debug, Clone)]
pub struct TypeScript {
    node: Node,
    tools: PathBuf,
    project: PathBuf,
}

impl TypeScript {
    /// Installs what is missing: node, the programs, and the packages of the project.
    ///
    /// # Errors
    /// When something cannot be installed.
    pub fn ensure(project: &Path, tools: &Tools, progress: &Progress<'_>) -> Result<Self, Error> {
        let node = tools.node(progress)?;
        let folder = tools.ensure_npm(&node, progress)?;
        if stale(project) {
            progress(Step::Begun("installing the project's packages from npm"));
            node.npm_install(project, progress)?;
        }
        if !project.join(SCRIPT).is_file() {
            return Err(Error::NoSdk { language: "TypeScript", package: "@tradepost/sdk", manifest: "package.json" });
        }
        Ok(Self { node, tools: folder, project: project.to_owned() })
    }

    /// Makes the component.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn build(&self, entry: &str, world: &str, out: &Path, progress: &Progress<'_>) -> Result<(), Error> {
        progress(Step::Begun("checking types, bundling, making the component"));
        let arguments = [
            SCRIPT.to_owned(),
            "build".to_owned(),
            format!("--entry={entry}"),
            format!("--world={world}"),
            format!("--out={}", out.display()),
        ];
        let mut call = self.node.call(arguments).env(TOOLS_VARIABLE, self.tools.display().to_string());
        call.folder = Some(self.project.clone());
        let printed = Machine.run(&call, &|_| {})?;
        if printed.success {
            return Ok(());
        }
        let output = last_lines(&format!("{}{}", printed.stdout, printed.stderr), 80);
        Err(Error::Compile { package: self.project.display().to_string(), output })
    }

    /// The project's own tests, to be started.
    #[must_use]
    pub fn test(&self) -> std::process::Command {
        let mut command = std::process::Command::new(self.node.program("node"));
        command.args([SCRIPT, "test"]).current_dir(&self.project).env(TOOLS_VARIABLE, &self.tools);
        if let Some(path) = self.node.path() {
            command.env("PATH", path);
        }
        command
    }
}

/// Whether the packages were not installed since their list was written.
fn stale(project: &Path) -> bool {
    let changed = |file: &str| -> Option<SystemTime> { fs::metadata(project.join(file)).ok()?.modified().ok() };
    let installed = changed("node_modules/.package-lock.json");
    installed.is_none_or(|installed| changed("package.json").is_some_and(|wanted| wanted > installed))
}
