//! Compiles connectors and puts the finished components into one folder.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    Error, Progress, Step, Toolchain, VERSION_VARIABLE, Workspace,
    lock::Lock,
    strip::{COMPONENT_MAGIC, strip},
    system::{Call, Machine, System, last_lines},
    toolchain::TARGET,
    workspace::Package,
};

/// The cargo profile of connectors.
const PROFILE: &str = "connector";

/// What [`PROFILE`] is in a workspace that does not define it: small, because size is what the host compiles and caches.
const PROFILE_SETTINGS: [&str; 7] = [
    r#"inherits="release""#,
    r#"opt-level="z""#,
    "lto=true",
    "codegen-units=1",
    "debug=false",
    "strip=true",
    r#"panic="abort""#,
];

/// The cargo profile of builds that somebody waits for, at every save: less small, and only what changed is compiled. It is
/// optimised for size all the same: at level 1 the code that lifts and lowers records is one function of such a size that
/// compiling it for the host takes three seconds.
const QUICK: &str = "connector-quick";

/// What [`QUICK`] is.
const QUICK_SETTINGS: [&str; 7] = [
    r#"inherits="release""#,
    r#"opt-level="z""#,
    "lto=false",
    "codegen-units=16",
    "incremental=true",
    "strip=true",
    r#"panic="abort""#,
];

/// One connector to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    package: String,
    version: Option<String>,
    quick: bool,
}

/// A finished component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The package it was built from.
    pub package: String,
    /// The file. It keeps its time of change when a build gives the same bytes again.
    pub path: PathBuf,
    /// The size of the file in bytes.
    pub size: u64,
}

impl Connector {
    /// The connector of a package, as it is.
    pub fn new(package: impl Into<String>) -> Self {
        Self { package: package.into(), version: None, quick: false }
    }

    /// The same connector under another version: it is compiled with `TRADEPOST_CONNECTOR_VERSION` set and gets a file of
    /// its own, `<name>-<version>.wasm`.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The same connector for somebody who waits for it: compiled faster, less small, in a file of its own.
    #[must_use]
    pub fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    /// The file name without folder and `.wasm`.
    fn file_stem(&self) -> String {
        let name = self.package.strip_suffix("-connector").unwrap_or(&self.package);
        match &self.version {
            None if self.quick => format!("{name}.quick"),
            None => name.to_owned(),
            // A version is free text to the compiler, but not to the file system.
            Some(version) => {
                let safe = version.replace(|c: char| !(c.is_ascii_alphanumeric() || ".-+_".contains(c)), "_");
                format!("{name}-{safe}")
            }
        }
    }
}

impl Toolchain {
    /// Builds connectors, in the order given, into `<target folder>/connectors/dist`.
    ///
    /// What is up to date is not compiled again. Processes that build in one workspace at the same time wait for each other.
    ///
    /// # Errors
    /// When a package does not exist, does not compile, or is no component.
    pub fn build(
        &self,
        workspace: &Workspace,
        connectors: &[Connector],
        progress: &Progress<'_>,
    ) -> Result<Vec<Built>, Error> {
        let folder = workspace.connectors_folder();
        let _lock = Lock::take(&folder.join(".build.lock"), "building connectors", progress)?;
        let build = Build { toolchain: self, workspace, folder: &folder, progress };
        connectors.iter().map(|connector| build.connector(connector)).collect()
    }
}

struct Build<'a> {
    toolchain: &'a Toolchain,
    workspace: &'a Workspace,
    folder: &'a Path,
    progress: &'a Progress<'a>,
}

impl Build<'_> {
    fn connector(&self, connector: &Connector) -> Result<Built, Error> {
        let package = self.workspace.package(&connector.package)?;
        let dist = self.folder.join("dist");
        let path = dist.join(format!("{}.wasm", connector.file_stem()));
        match &connector.version {
            None => put(&path, &self.compile(package, None, connector.quick)?)?,
            Some(version) => {
                // Cargo keeps one result per package, so two versions in turn would be compiled each time. The plain build
                // tells whether anything but the version changed; only then is this one compiled again.
                let plain = self.compile(package, None, connector.quick)?;
                let stamp_path = dist.join(format!("{}.stamp", connector.file_stem()));
                let stamp = stamp(&plain, version);
                let up_to_date = fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp) && path.is_file();
                if !up_to_date {
                    put(&path, &self.compile(package, Some(version), connector.quick)?)?;
                    put(&stamp_path, stamp.as_bytes())?;
                }
            }
        }
        let size = fs::metadata(&path).map_err(|source| Error::File { path: path.clone(), source })?.len();
        Ok(Built { package: connector.package.clone(), path, size })
    }

    /// Compiles one package and answers the component's bytes.
    fn compile(&self, package: &Package, version: Option<&str>, quick: bool) -> Result<Vec<u8>, Error> {
        let call = self.call(package, version, quick)?;
        let begun = std::cell::Cell::new(false);
        let watch = |step: Step<'_>| {
            // Said at the first thing cargo compiles, so that nothing is said when there is nothing to do.
            if step.text().trim_start().starts_with("Compiling ") && !begun.replace(true) {
                let version = version.map(|version| format!(" {version}")).unwrap_or_default();
                (self.progress)(Step::Begun(&format!("building {}{version}", package.name)));
            }
            (self.progress)(step);
        };
        let printed = Machine.run(&call, &watch)?;
        if !printed.success {
            let output = last_lines(&printed.stderr, 80);
            return Err(Error::Compile { package: package.name.clone(), output });
        }
        let path = artifact(&printed.stdout, &package.manifest_path)
            .ok_or_else(|| Error::Answer { command: call.to_string(), reason: "it names no .wasm file".to_owned() })?;
        let bytes = fs::read(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        if bytes.starts_with(COMPONENT_MAGIC) { Ok(strip(&bytes)) } else { Err(Error::NotAComponent { path }) }
    }

    fn call(&self, package: &Package, version: Option<&str>, quick: bool) -> Result<Call, Error> {
        // The crate type stands here and not in the manifests, because there the connectors would be linked as native
        // libraries too, for which their exports have no names a linker takes.
        let profile = if quick { QUICK } else { PROFILE };
        let mut call = Call::new(
            "cargo",
            [
                "rustc",
                "--package",
                &package.name,
                "--lib",
                "--crate-type=cdylib",
                "--profile",
                profile,
                "--target",
                TARGET,
                "--message-format=json-render-diagnostics",
            ],
        );
        call.args.extend(["--target-dir".to_owned(), self.folder.display().to_string()]);
        if !self.workspace.has_profile(profile)? {
            let settings = if quick { QUICK_SETTINGS } else { PROFILE_SETTINGS };
            for setting in settings {
                call.args.extend(["--config".to_owned(), format!("profile.{profile}.{setting}")]);
            }
        }
        call.args.extend(self.toolchain.arguments().iter().map(|&argument| argument.to_owned()));
        call.folder = Some(self.workspace.root().to_owned());
        call.env = self.toolchain.environment();
        call = call.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
        if let Some(version) = version {
            call = call.env(VERSION_VARIABLE, version);
        }
        Ok(call)
    }
}

/// The `.wasm` file of a package in cargo's messages, one JSON object per line.
fn artifact(messages: &str, manifest: &Path) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        manifest_path: Option<PathBuf>,
        #[serde(default)]
        filenames: Vec<PathBuf>,
    }
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| message.manifest_path.as_deref() == Some(manifest))
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// What a built version depends on. A hash that changes with the compiler's release only means one build more.
fn stamp(plain: &[u8], version: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (plain, version).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Writes a file so that a reader sees the old or the new one, and not at all when it is the same.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let written = (|| {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = path.with_added_extension("new");
        fs::write(&new, bytes)?;
        fs::rename(&new, path)
    })();
    written.map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
