//! Builds connectors written in Python: componentize-py makes the component of the project's modules and packages.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    Error, Progress, Step,
    system::{Call, Machine, System, last_lines},
    tools::{Tools, pip, venv},
};

/// The environment of a project.
const VENV: &str = ".venv";
/// In it, once everything is installed.
const COMPLETE: &str = ".venv/.complete";
/// What the project needs.
const WANTED: &str = "requirements.txt";

/// A project in Python with everything that it is built with.
#[derive(Debug, Clone)]
pub struct Python {
    componentize: PathBuf,
    project: PathBuf,
    packages: PathBuf,
}

impl Python {
    /// Installs what is missing: componentize-py, and the packages of the project into its `.venv`.
    ///
    /// # Errors
    /// When there is no Python, or something cannot be installed.
    pub fn ensure(project: &Path, tools: &Tools, progress: &Progress<'_>) -> Result<Self, Error> {
        let componentize = tools.ensure_componentize_py(progress)?;
        let environment = project.join(VENV);
        if stale(project) {
            progress(Step::Begun("installing the project's packages from PyPI into .venv"));
            if !environment.join("bin/python").is_file() {
                venv(&tools.python()?, &environment, progress)?;
            }
            let wanted = project.join(WANTED).display().to_string();
            pip(&environment, &["--requirement", &wanted], progress)?;
            let path = project.join(COMPLETE);
            fs::write(&path, "").map_err(|source| Error::File { path, source })?;
        }
        let packages = packages(&environment).filter(|packages| packages.join("tradepost_sdk").is_dir());
        let packages =
            packages.ok_or(Error::NoSdk { language: "Python", package: "tradepost-sdk", manifest: WANTED })?;
        Ok(Self { componentize, project: project.to_owned(), packages })
    }

    /// Makes the component of a module in the folder `src`.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn build(&self, module: &str, world: &str, out: &Path, progress: &Progress<'_>) -> Result<(), Error> {
        progress(Step::Begun("making the component"));
        if let Some(folder) = out.parent() {
            fs::create_dir_all(folder).map_err(|source| Error::File { path: folder.to_owned(), source })?;
        }
        let new = out.with_added_extension("new");
        let text = |path: &Path| path.display().to_string();
        let mut arguments = vec!["--wit-path".to_owned(), text(&self.packages.join("tradepost_sdk/wit"))];
        arguments.extend(["--world".to_owned(), world.to_owned(), "--quiet".to_owned(), "componentize".to_owned()]);
        for path in [text(&self.project.join("src")), text(&self.site()?)] {
            arguments.extend(["--python-path".to_owned(), path]);
        }
        arguments.extend([module.to_owned(), "--output".to_owned(), text(&new)]);
        let mut call = Call::new(&text(&self.componentize), arguments);
        call.folder = Some(self.project.clone());
        let printed = Machine.run(&call, &|_| {})?;
        if !printed.success {
            let output = last_lines(&format!("{}{}", printed.stdout, printed.stderr), 80);
            return Err(Error::Compile { package: self.project.display().to_string(), output });
        }
        fs::rename(&new, out).map_err(|source| Error::File { path: out.to_owned(), source })
    }

    /// The packages that go into the component: not the tools of the environment, and not the contract's types, which
    /// componentize-py makes anew.
    fn site(&self) -> Result<PathBuf, Error> {
        let site = self.project.join(VENV).join(".site");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        if site.exists() {
            fs::remove_dir_all(&site).map_err(failed(&site))?;
        }
        fs::create_dir_all(&site).map_err(failed(&site))?;
        for entry in fs::read_dir(&self.packages).map_err(failed(&self.packages))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let left_out =
                ["pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "wit_world", "__pycache__"];
            let info = [".dist-info", ".pth", ".virtualenv"].iter().any(|end| name.ends_with(end));
            if !info && !left_out.contains(&name.as_str()) && !name.starts_with("componentize_py") {
                copy(&entry.path(), &site.join(&name)).map_err(failed(&entry.path()))?;
            }
        }
        Ok(site)
    }

    /// The project's own tests, to be started.
    #[must_use]
    pub fn test(&self) -> std::process::Command {
        let mut command = std::process::Command::new(self.project.join(VENV).join("bin/python"));
        command.args(["-m", "unittest", "discover", "--start-directory", "tests", "--top-level-directory", "."]);
        command.current_dir(&self.project).env("PYTHONPATH", self.project.join("src"));
        command
    }
}

fn packages(environment: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(environment.join("lib")).ok()?;
    versions.flatten().map(|version| version.path().join("site-packages")).find(|packages| packages.is_dir())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != "__pycache__" {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Whether the packages were not installed since their list was written.
fn stale(project: &Path) -> bool {
    let changed = |file: &str| -> Option<SystemTime> { fs::metadata(project.join(file)).ok()?.modified().ok() };
    changed(COMPLETE).is_none_or(|installed| changed(WANTED).is_some_and(|wanted| wanted > installed))
}
