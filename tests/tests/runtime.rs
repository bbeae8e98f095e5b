//! The runtime over real components: the type check, every fence, the plugins folder.

#![allow(unreachable_pub, reason = "the modules of a test binary share their helpers")]

#[path = "runtime/calls.rs"]
mod calls;
#[path = "runtime/case_files.rs"]
mod case_files;
#[path = "runtime/cases.rs"]
mod cases;
#[path = "runtime/check.rs"]
mod check;
#[path = "runtime/compile.rs"]
mod compile;
#[path = "runtime/doors.rs"]
mod doors;
#[path = "runtime/fences.rs"]
mod fences;
#[path = "runtime/kept.rs"]
mod kept;
#[path = "runtime/plugins.rs"]
mod plugins;
#[path = "runtime/server.rs"]
mod server;
#[path = "runtime/signatures.rs"]
mod signatures;
#[path = "runtime/size.rs"]
mod size;
#[path = "runtime/workbench.rs"]
mod workbench;
#[path = "runtime/world.rs"]
mod world;
