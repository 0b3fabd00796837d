//! Keeps what passed through memory out of core dumps: a terminal set up wrongly may send a whole card number, and a
//! dump of the wrong moment would be the one file that holds it.

use std::io;

/// No core file is written, and a program that collects dumps for the system gets one without any memory in it.
/// Inherited by everything this program starts. A system that refuses is named in the log; the counter goes on.
pub fn keep_out_of_core_dumps() {
    if let Err(error) = no_core_file() {
        tracing::error!(%error, "core files cannot be switched off; set LimitCORE=0");
    }
    // RLIMIT_CORE does not hold for collectors behind a pipe (core(5)); the filter does, and leaves the process
    // measurable, which PR_SET_DUMPABLE would not.
    if let Err(error) = std::fs::write("/proc/self/coredump_filter", "0") {
        tracing::error!(%error, "memory cannot be kept out of collected dumps");
    }
}

fn no_core_file() -> io::Result<()> {
    let none = nix::libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a value that lives through the call, and the kernel only reads it.
    match unsafe { nix::libc::setrlimit(nix::libc::RLIMIT_CORE, &none) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
