//! The platform to test against: a program of the project that is started and ended.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::failure::Hinted;
use crate::language;
use crate::output;
use crate::project::Project;

/// How long it may take to say its address: it may have to be compiled first.
const START: Duration = Duration::from_secs(600);

/// A running simulator; it ends with everything it started when this is dropped.
pub struct Running {
    /// Its address, without a slash at the end.
    pub address: String,
    child: Child,
}

impl Running {
    /// Starts the simulator of a project; nothing where it names none.
    ///
    /// # Errors
    /// It cannot be started, or ends before it has said its address.
    pub fn start(project: &Project) -> anyhow::Result<Option<Self>> {
        let Some(simulator) = &project.manifest.simulator else { return Ok(None) };
        let Some((program, arguments)) = simulator.command.split_first() else { return Ok(None) };
        let shown = simulator.command.join(" ");
        let program = language::program(project, program, &output::progress)?;
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(&project.folder).stdin(Stdio::null()).stdout(Stdio::piped());
        // A group of its own, so that what it starts ends with it.
        let mut child = command.process_group(0).spawn().with_context(|| format!("`{shown}` cannot be started"))?;
        let stdout = child.stdout.take().context("its output was piped above")?;
        let mut running = Self { address: String::new(), child };
        let (said, heard) = mpsc::channel();
        // Reads on, so that the program is never stopped by a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(at) = line.find("http://") {
                    let _ = said.send(line[at..].trim().trim_end_matches('/').to_owned());
                }
            }
        });
        running.address = heard.recv_timeout(START).map_err(|_| {
            let hint =
                "it prints a line like `listening on http://127.0.0.1:1234`; start it by hand to see what it says";
            Hinted::new(format!("the simulator `{shown}` did not say its address"), hint)
        })?;
        Ok(Some(running))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // Both fail only where it has ended already.
        let _ = group.map(|group| kill_process_group(group, Signal::TERM));
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(command: &str) -> (tempfile::TempDir, Project) {
        let root = tempfile::tempdir().unwrap();
        let text =
            format!("name = \"a\"\nlanguage = \"rust\"\n[simulator]\ncommand = [\"sh\", \"-c\", \"{command}\"]\n");
        std::fs::write(root.path().join(crate::project::FILE), text).unwrap();
        let project = Project::find(root.path()).unwrap();
        (root, project)
    }

    #[test]
    fn it_is_heard_and_ends_with_what_it_started() {
        let (_root, project) = project("sleep 60 & echo listening on http://127.0.0.1:9/; wait");
        let running = Running::start(&project).unwrap().unwrap();
        assert_eq!(running.address, "http://127.0.0.1:9");
        let group = running.child.id();
        drop(running);
        let left = std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            stat.contains("(sleep)")
                && stat.rsplit(") ").next().unwrap_or_default().split(' ').nth(2) == Some(&group.to_string())
                && !stat.contains(") Z ")
        });
        assert!(!left, "what it started goes on");
    }

    #[test]
    fn one_that_says_nothing_is_an_error() {
        let (_root, project) = project("exit 3");
        assert!(Running::start(&project).is_err());
    }
}
