//! How a job ends: graded, refused, given up, or cleared from the printer.

use super::super::profile::Profile;
use super::super::protocol;
use super::event::{Doubt, Evidence, PrinterEvent, ProofGrade, Refusal};
use super::interface::Action;
use super::job::{Running, Stage};
use super::machine::{Machine, Phase};
use super::wire::{Poll, Purpose};

/// Longest wait for the printer to confirm a purge, in milliseconds.
const PURGE_MS: u64 = 1_500;

impl Machine {
    /// Everything that can be known is known: grades it.
    pub(super) fn finish(&mut self, actions: &mut Vec<Action>) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.out.orphan_fences();
        if let Some(used) = &mut self.near_end_used_dots {
            *used += running.plan.height_dots();
        }
        let job = running.job;
        let profile = &self.config.profile;
        let event = match grade(&running, self.fence_works, profile) {
            Ok(evidence) => PrinterEvent::JobDone { job, evidence },
            Err(doubt) => PrinterEvent::JobUnknown {
                job,
                trace: running.trace(),
                doubt,
            },
        };
        actions.push(Action::Event(event));
    }

    /// Not one byte has left.
    pub(super) fn fail(&mut self, reason: Refusal, actions: &mut Vec<Action>) {
        if let Some(running) = self.running.take() {
            actions.push(Action::Event(PrinterEvent::JobFailed {
                job: running.job,
                nothing_sent: running.sent == 0,
                reason,
            }));
        }
    }

    /// The running job's outcome cannot be known any more.
    pub(super) fn give_up(&mut self, doubt: Doubt, actions: &mut Vec<Action>) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.out.orphan_fences();
        let job = running.job;
        let event = if running.sent == 0 {
            PrinterEvent::JobFailed {
                job,
                nothing_sent: true,
                reason: Refusal::NotReady(self.state()),
            }
        } else {
            self.torn_paper |= !running.all_sent();
            PrinterEvent::JobUnknown {
                job,
                trace: running.trace(),
                doubt,
            }
        };
        actions.push(Action::Event(event));
    }

    /// Gives up a job that stands still (or is cancelled) and clears what the printer holds, so
    /// that it does not come out for the next shopper.
    pub(super) fn abandon(&mut self, now: u64, actions: &mut Vec<Action>) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.sent == 0 {
            self.fail(Refusal::Cancelled, actions);
            return;
        }
        if matches!(running.stage, Stage::Purging { .. }) {
            return;
        }
        running.stage = Stage::Purging {
            until: now + PURGE_MS,
        };
        if !running.at_boundary() || self.out.current.is_some() {
            // Half a command is out: drop the rest of it, the start sequence ends it.
            self.out.current = None;
            actions.push(Action::Discard);
        }
        let answers = self.config.profile.answers;
        self.out.queue.clear();
        if answers.recover {
            self.out.push(&protocol::RECOVER_CLEAR, Purpose::Other);
        }
        if answers.clear_buffer {
            self.out.push(&protocol::CLEAR_BUFFERS, Purpose::Other);
        }
        self.poll = Poll::new(now);
    }

    pub(super) fn purge_over(&mut self, now: u64, until: u64, actions: &mut Vec<Action>) {
        let confirmed = until == 0;
        let waits = self.config.profile.answers.clear_buffer;
        if !confirmed && waits && now < until {
            return;
        }
        if confirmed {
            self.out.orphan_fences();
            if let Some(running) = self.running.take() {
                self.torn_paper = true;
                actions.push(Action::Event(PrinterEvent::JobFailed {
                    job: running.job,
                    nothing_sent: false,
                    reason: Refusal::Purged,
                }));
            }
        } else {
            self.give_up(Doubt::GivenUp, actions);
        }
        // The start sequence follows as soon as the printer can take it.
        self.phase = Phase::Preparing {
            until: u64::MAX,
            answered: false,
        };
    }
}

/// What the collected evidence is worth.
fn grade(running: &Running, fence_works: bool, profile: &Profile) -> Result<Evidence, Doubt> {
    if running.silent {
        // It may have been off for a moment and lost what it had not printed.
        return Err(Doubt::Silent);
    }
    let counted = match (running.cuts_before, running.cuts_after) {
        (Some(before), Some(after)) => {
            running.plan.cuts > 0 && after >= before.saturating_add(running.plan.cuts)
        }
        _ => false,
    };
    let grade = if running.process_id_seen {
        if counted {
            ProofGrade::ProcessIdAndCounter
        } else {
            ProofGrade::ProcessId
        }
    } else if fence_works && counted {
        ProofGrade::FenceAndCounter
    } else if running.disturbed {
        return Err(Doubt::Interrupted);
    } else if fence_works {
        ProofGrade::Fence
    } else {
        let status_clean = profile.answers.real_time_status;
        return Ok(if profile.confirms() {
            Evidence::Unverified { status_clean }
        } else {
            Evidence::Sent { status_clean }
        });
    };
    Ok(Evidence::Printed(grade))
}
