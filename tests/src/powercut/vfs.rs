//! A layer over SQLite's own file system that notes what was not synced.
//!
//! Everything goes through to the files; only writes, truncations, syncs and deletions are looked at.

#![allow(unsafe_code, unsafe_op_in_unsafe_fn)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;

use anyhow::{Result, ensure};
use rusqlite::ffi;

use super::Notes;

struct Base {
    vfs: *mut ffi::sqlite3_vfs,
    folder: PathBuf,
}

// SAFETY: the pointer is to SQLite's own description of its file system, which is never changed or freed.
unsafe impl Send for Base {}
// SAFETY: as above.
unsafe impl Sync for Base {}

static BASE: OnceLock<Base> = OnceLock::new();

/// An open file: what SQLite sees, our notes, and behind it the file of the layer below.
#[repr(C)]
struct Layered {
    head: ffi::sqlite3_file,
    /// Null for files whose loss harms nobody.
    notes: *mut Notes,
}

/// Where the file of the layer below begins.
const BELOW: usize = size_of::<Layered>().next_multiple_of(16);

unsafe fn below(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.cast::<u8>().add(BELOW).cast()
}

macro_rules! through {
    ($name:ident, $method:ident, ($($arg:ident: $ty:ty),*)) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($arg: $ty),*) -> c_int {
            let inner = below(file);
            match (*(*inner).pMethods).$method {
                Some(method) => method(inner, $($arg),*),
                None => ffi::SQLITE_IOERR,
            }
        }
    };
}

through!(read, xRead, (to: *mut c_void, amount: c_int, offset: i64));
through!(file_size, xFileSize, (size: *mut i64));
through!(lock, xLock, (level: c_int));
through!(unlock, xUnlock, (level: c_int));
through!(check_reserved, xCheckReservedLock, (found: *mut c_int));
through!(file_control, xFileControl, (op: c_int, arg: *mut c_void));
through!(shm_map, xShmMap, (page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void));
through!(shm_lock, xShmLock, (offset: c_int, n: c_int, flags: c_int));
through!(shm_unmap, xShmUnmap, (delete: c_int));

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    let inner = below(file);
    (*(*inner).pMethods).xSectorSize.map_or(0, |method| method(inner))
}

/// None of the promises that a file system may make beyond the ordinary.
unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    0
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    let inner = below(file);
    if let Some(method) = (*(*inner).pMethods).xShmBarrier {
        method(inner);
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let notes = (*file.cast::<Layered>()).notes;
    if !notes.is_null() {
        drop(Box::from_raw(notes));
        (*file.cast::<Layered>()).notes = ptr::null_mut();
    }
    let inner = below(file);
    (*(*inner).pMethods).xClose.map_or(ffi::SQLITE_OK, |method| method(inner))
}

/// Notes a change from `offset` on: `length` bytes are written, or, where it is 0, everything behind is cut off.
unsafe fn note(file: *mut ffi::sqlite3_file, offset: i64, length: usize) -> io::Result<()> {
    let notes = (*file.cast::<Layered>()).notes;
    if notes.is_null() {
        return Ok(());
    }
    let mut size = 0_i64;
    if file_size(file, &mut size) != ffi::SQLITE_OK {
        return Err(io::Error::other("the size is not known"));
    }
    let there = if length == 0 { size - offset } else { (size - offset).min(length as i64) }.max(0);
    let mut before = vec![0_u8; usize::try_from(there).unwrap_or(0)];
    if there > 0 && read(file, before.as_mut_ptr().cast(), there as c_int, offset) != ffi::SQLITE_OK {
        return Err(io::Error::other("what is there cannot be read"));
    }
    (*notes).change(size as u64, offset as u64, &before, length as u64)
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, amount: c_int, offset: i64) -> c_int {
    if note(file, offset, amount as usize).is_err() {
        return ffi::SQLITE_IOERR_WRITE;
    }
    let inner = below(file);
    (*(*inner).pMethods).xWrite.map_or(ffi::SQLITE_IOERR_WRITE, |method| method(inner, from, amount, offset))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    if note(file, size, 0).is_err() {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    let inner = below(file);
    (*(*inner).pMethods).xTruncate.map_or(ffi::SQLITE_IOERR_TRUNCATE, |method| method(inner, size))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let inner = below(file);
    let synced = (*(*inner).pMethods).xSync.map_or(ffi::SQLITE_IOERR_FSYNC, |method| method(inner, flags));
    let notes = (*file.cast::<Layered>()).notes;
    if synced == ffi::SQLITE_OK && !notes.is_null() && (*notes).synced().is_err() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    synced
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Without memory-mapped files, which would go past us.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let Some(base) = BASE.get() else { return ffi::SQLITE_CANTOPEN };
    (*file).pMethods = ptr::null();
    (*file.cast::<Layered>()).notes = ptr::null_mut();
    let inner = below(file);
    (*inner).pMethods = ptr::null();
    let Some(open) = (*base.vfs).xOpen else { return ffi::SQLITE_CANTOPEN };
    let opened = open(base.vfs, name, inner, flags, out);
    if (*inner).pMethods.is_null() {
        return opened;
    }
    (*file).pMethods = &METHODS;
    let lasting = ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
    if opened == ffi::SQLITE_OK && flags & lasting != 0 && !name.is_null() {
        match CStr::from_ptr(name).to_str().map(|path| Notes::of(&base.folder, path)) {
            Ok(Ok(notes)) => (*file.cast::<Layered>()).notes = Box::into_raw(Box::new(notes)),
            Ok(Err(_)) | Err(_) => {
                close(file);
                (*file).pMethods = ptr::null();
                return ffi::SQLITE_CANTOPEN;
            }
        }
    }
    opened
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    let Some(base) = BASE.get() else { return ffi::SQLITE_IOERR_DELETE };
    let deleted = (*base.vfs).xDelete.map_or(ffi::SQLITE_IOERR_DELETE, |delete| delete(base.vfs, name, sync));
    if deleted == ffi::SQLITE_OK
        && let Ok(path) = CStr::from_ptr(name).to_str()
    {
        let name: String = path.chars().map(|c| if c == '/' { '%' } else { c }).collect();
        drop(std::fs::remove_file(base.folder.join(name)));
    }
    deleted
}

/// Puts the layer under every ledger that this process opens from now on.
///
/// # Errors
/// SQLite refuses it, or it is there already.
pub fn install(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    // SAFETY: plain calls of SQLite's interface. What is registered is leaked on purpose, so it lives as long as SQLite
    // does; all of its methods live in this file.
    unsafe {
        let vfs = ffi::sqlite3_vfs_find(ptr::null());
        ensure!(!vfs.is_null(), "SQLite has no file system");
        ensure!(BASE.set(Base { vfs, folder: folder.to_owned() }).is_ok(), "the layer is in place already");
        let mut layer = MaybeUninit::<ffi::sqlite3_vfs>::uninit();
        ptr::copy_nonoverlapping(vfs, layer.as_mut_ptr(), 1);
        let layer = Box::leak(Box::new(layer.assume_init()));
        layer.szOsFile += c_int::try_from(BELOW)?;
        layer.zName = c"powercut".as_ptr();
        layer.pNext = ptr::null_mut();
        layer.xOpen = Some(open);
        layer.xDelete = Some(delete);
        ensure!(ffi::sqlite3_vfs_register(layer, 1) == ffi::SQLITE_OK, "SQLite refuses the layer");
    }
    Ok(())
}
