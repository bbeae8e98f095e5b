//! One at a time: two processes that install or build at once would spoil each other's work.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::{Error, Progress, Step};

/// Held until dropped; the system frees it also when the process is killed.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its effect: closing it frees the lock")] File);

impl Lock {
    /// Waits until the lock is free and takes it; says so when it has to wait.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub(crate) fn take(path: &Path, busy_with: &str, progress: &Progress<'_>) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = File::options().create(true).append(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress(Step::Begun(&format!("waiting for another process that is {busy_with}")));
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(Self(file))
    }
}

/// The lock for what is installed for the whole account. Kept beside cargo's own files, because two clones of the
/// repository share rustup and the system's packages.
pub(crate) fn install_lock(cargo_home: Option<PathBuf>, otherwise: &Path) -> PathBuf {
    cargo_home.filter(|folder| folder.is_dir()).unwrap_or_else(|| otherwise.to_owned()).join(".tradepost-build.lock")
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
        time::Duration,
    };

    use super::*;

    #[test]
    fn the_second_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/lock");
        let first = Lock::take(&path, "building", &|_| panic!("nobody holds it")).unwrap();
        let freed = AtomicBool::new(false);
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                let said = std::cell::Cell::new(0);
                Lock::take(&path, "building", &|_| said.set(said.get() + 1)).unwrap();
                (freed.load(Ordering::SeqCst), said.get())
            });
            thread::sleep(Duration::from_millis(100));
            freed.store(true, Ordering::SeqCst);
            drop(first);
            assert_eq!(second.join().unwrap(), (true, 1));
        });
    }
}
