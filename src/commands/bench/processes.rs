//! Processes as `/proc` shows them: who descends from whom, what they hold, how long they ran.

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::process::Child;
use std::time::Duration;

/// Orphans of our children become our own, so that none is missed and none is left.
///
/// # Errors
/// When the system refuses.
pub(super) fn adopt_orphans() -> Result<()> {
    nix::sys::prctl::set_child_subreaper(true).context("orphans cannot be adopted")
}

/// Every process by its parent.
fn parents() -> BTreeMap<u32, u32> {
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    let numbers = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|process: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            // The name may hold anything; what follows its last bracket is fixed: state, parent.
            let (_, rest) = stat.rsplit_once(')')?;
            Some((process, rest.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect()
}

/// All that descend from `root`, without it.
pub(super) fn descendants(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = parents.iter().filter(|(_, known)| **known == parent);
        found.extend(children.map(|(child, _)| *child));
        next += 1;
    }
    found.remove(0);
    found
}

/// Our own descendants but for `without` and theirs.
pub(super) fn ours(without: &[u32]) -> Vec<u32> {
    let mut all = descendants(std::process::id());
    for other in without {
        let theirs = descendants(*other);
        all.retain(|process| process != other && !theirs.contains(process));
    }
    all
}

/// Kills and reaps; a process that is gone already is as good.
pub(super) fn kill_all(processes: &[u32]) {
    let pids = processes
        .iter()
        .filter_map(|process| i32::try_from(*process).ok());
    for pid in pids.clone() {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    for pid in pids {
        // Only children of ours can be waited for; the rest belongs to whom we killed, or comes to us.
        for _ in 0..50 {
            match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
                Ok(nix::sys::wait::WaitStatus::StillAlive) => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => break,
            }
        }
    }
}

/// Proportional set size of `processes` together, in bytes.
///
/// # Errors
/// When one of them cannot be read.
pub(super) fn pss_bytes(processes: &[u32]) -> Result<u64> {
    let mut kib = 0;
    for process in processes {
        let path = format!("/proc/{process}/smaps_rollup");
        let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let value = line.and_then(|rest| rest.split_whitespace().next());
        kib += value
            .and_then(|value| value.parse::<u64>().ok())
            .with_context(|| format!("{path}: no Pss"))?;
    }
    Ok(kib * 1024)
}

/// Time on a processor of all threads alive in `processes`, from the scheduler's own account (nanoseconds;
/// the ticks of `/proc/PID/stat` are 10 ms and too coarse for an idle program).
pub(super) fn cpu_time(processes: &[u32]) -> Duration {
    let mut nanoseconds = 0;
    for process in processes {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            nanoseconds += text
                .split_whitespace()
                .next()
                .and_then(|first| first.parse::<u64>().ok())
                .unwrap_or(0);
        }
    }
    Duration::from_nanos(nanoseconds)
}

/// A child that does not outlive its handle.
#[derive(Debug)]
pub(super) struct Running(pub(super) Child);

impl Running {
    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// It and all that descends from it.
    pub(super) fn tree(&self) -> Vec<u32> {
        let mut tree = vec![self.id()];
        tree.extend(descendants(self.id()));
        tree
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let below = descendants(self.id());
        let _ = self.0.kill();
        let _ = self.0.wait();
        kill_all(&below);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_process_is_measured_and_ends_with_its_handle() {
        // Proves that memory and processor time of a live child are read, and that dropping its handle ends it.
        let command = std::process::Command::new("sh")
            .args(["-c", "sleep 60 & wait"])
            .spawn();
        let running = Running(command.unwrap());
        let id = running.id();
        assert!(pss_bytes(&[std::process::id()]).unwrap() > 100_000);
        assert!(cpu_time(&[std::process::id()]) > Duration::ZERO);
        assert!(ours(&[]).contains(&id));
        assert!(!ours(&[id]).contains(&id));
        drop(running);
        assert!(!ours(&[]).contains(&id));
    }
}
