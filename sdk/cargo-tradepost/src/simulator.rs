//! The platform to test against: a program of the project that is started and ended.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::failure::Hinted;
use crate::language;
use crate::output;
use crate::project::Project;

/// How long it may take to say its address: it may have to be compiled first.
const START: Duration = Duration::from_secs(600);

/// How long it and what it started may take to end when they are asked to; then they are ended.
const END: Duration = Duration::from_secs(5);

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
        let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else { return };
        for signal in [Signal::TERM, Signal::KILL] {
            // Fails only where all of it has ended.
            let _ = kill_process_group(group, signal);
            let asked = Instant::now();
            while asked.elapsed() < END {
                // One that has ended counts as a member of the group until it is waited for.
                let ended = self.child.try_wait().is_ok_and(|status| status.is_some());
                if ended && test_kill_process_group(group).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
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

    /// Whether a process of this group is still running, one that has ended and was not waited for aside.
    fn goes_on(group: u32) -> bool {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let mut after_name = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            after_name.next() != Some("Z") && after_name.nth(1) == Some(&group.to_string())
        })
    }

    #[test]
    fn it_is_heard_and_ends_with_what_it_started() {
        for command in [
            "sleep 60 & echo listening on http://127.0.0.1:9/; wait",
            // Deaf to being asked.
            "trap '' TERM; sleep 60 & echo listening on http://127.0.0.1:9/; wait",
        ] {
            let (_root, project) = project(command);
            let running = Running::start(&project).unwrap().unwrap();
            assert_eq!(running.address, "http://127.0.0.1:9");
            let group = running.child.id();
            assert!(goes_on(group), "{command}");
            drop(running);
            assert!(!goes_on(group), "what it started goes on: {command}");
        }
    }

    #[test]
    fn one_that_says_nothing_is_an_error() {
        let (_root, project) = project("exit 3");
        assert!(Running::start(&project).is_err());
    }
}
