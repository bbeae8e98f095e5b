//! `tradepost-build [PACKAGE..]`: builds connectors of the workspace it is called in, all of them without names.

use std::{env, path::Path, process::ExitCode};

use tradepost_build::{Built, Connector, Error, Step, Workspace};

fn main() -> ExitCode {
    match run() {
        Ok(built) => {
            for connector in built {
                println!("{}", connector.path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(source) = cause {
                eprintln!("  because: {source}");
                cause = source.source();
            }
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Vec<Built>, Error> {
    let workspace = Workspace::at(Path::new("."))?;
    let mut packages: Vec<String> = env::args().skip(1).collect();
    if packages.is_empty() {
        packages = workspace.connectors().map(str::to_owned).collect();
    }
    let connectors: Vec<Connector> = packages.into_iter().map(Connector::new).collect();
    tradepost_build::build(&workspace, &connectors, &|step| match step {
        Step::Begun(text) => eprintln!("{text}"),
        Step::Detail(text) => eprintln!("    {text}"),
    })
}
