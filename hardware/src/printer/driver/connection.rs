//! Opening the port, finding the speed, the start sequence, losing the connection.

use super::super::doctor::Finding;
use super::super::profile::CutPlan;
use super::super::protocol;
use super::super::protocol::receive::Receiver;
use super::event::{Doubt, OfflineReason};
use super::interface::Action;
use super::job::SEGMENT_BYTES;
use super::machine::{Machine, Phase};
use super::wire::{Fence, Outgoing, Poll, Purpose};

/// NUL bytes that end any command left open by an earlier sender; longer than any we send.
const FLUSH_BYTES: usize = 2_048;
/// NUL bytes that fill up the longest command header we send, so that what follows is not taken
/// for a length.
const HEADER_BYTES: usize = 16;
/// How long no more answers in order have to come before none are owed any more, in milliseconds:
/// the ones behind each other in the printer's buffer come back to back.
const OWED_MS: u64 = 150;

/// How often the driver tries to find out which answers are its own.
const MAX_RESYNCS: u32 = 4;

impl Machine {
    pub(super) fn speeds(&self) -> Vec<u32> {
        let Some(baud) = self.config.baud else {
            let mut speeds = vec![self.config.profile.baud, 115_200, 38_400, 19_200, 9_600];
            let first = speeds[0];
            speeds.dedup();
            speeds.retain({
                let mut seen_first = false;
                move |&speed| speed != first || !std::mem::replace(&mut seen_first, true)
            });
            return speeds;
        };
        vec![baud]
    }

    pub(super) fn opened(&mut self, now: u64) {
        self.receiver = Receiver::new();
        self.out = Outgoing::default();
        self.poll = Poll::new(now);
        self.status = None;
        self.unsent_bytes = 0;
        self.line_free_at_us = 0;
        self.unsent_since = now;
        self.stuck_since = None;
        self.clear_to_send = None;
        self.hold_asked = false;
        if self.asks_status() {
            // A command cut off in its length field would take our questions for a length.
            self.out.push(&[0; HEADER_BYTES], Purpose::Other);
            let timing = self.config.timing;
            self.phase = Phase::Probing {
                until: now + timing.answer_ms * 2,
            };
        } else {
            self.offline = None;
            self.prepare(now);
        }
    }

    pub(super) fn open_failed(&mut self, now: u64, reason: OfflineReason) {
        self.offline = Some(reason);
        self.phase = Phase::Closed {
            open_at: now + self.config.timing.reopen_ms,
        };
    }

    /// The connection is gone: whatever was being printed is in doubt.
    pub(super) fn lost(
        &mut self,
        now: u64,
        reason: OfflineReason,
        doubt: Doubt,
        actions: &mut Vec<Action>,
    ) {
        actions.push(Action::Close);
        let unproven = matches!(self.phase, Phase::Checking { .. } | Phase::Preparing { .. });
        if self.config.baud.is_none() && unproven {
            // The first answer may have been noise at the wrong speed.
            self.baud_index += 1;
        }
        self.offline = Some(reason);
        self.status = None;
        self.phase = Phase::Closed {
            open_at: now + self.config.timing.reopen_ms,
        };
        self.give_up(doubt, actions);
        self.out = Outgoing::default();
    }

    /// Sends the start sequence, with what it takes to end a command left open.
    pub(super) fn prepare(&mut self, now: u64) {
        self.start_sequence(now, FLUSH_BYTES);
    }

    /// Questions in order that prove by their number that the printer reads us: more than an
    /// earlier run of this program can have left unanswered, since answers carry no name.
    fn ask_in_step(&mut self, bytes: &mut Vec<u8>) {
        let left_by_others = self.config.profile.credit_bytes / SEGMENT_BYTES + 2;
        for _ in 0..=left_by_others {
            bytes.extend_from_slice(&protocol::ASK_FENCE);
            self.out.fences.push_back(Fence::Prepare);
        }
    }

    /// Asks for answers in order: if they come, no command is open, which saves two thousand
    /// bytes.
    fn check(&mut self, now: u64) {
        let mut bytes = vec![0; HEADER_BYTES];
        self.ask_in_step(&mut bytes);
        self.out.push(&bytes, Purpose::Other);
        let wait_ms = self.wire_ms(bytes.len()) + self.config.timing.answer_ms;
        self.phase = Phase::Checking {
            until: now + wait_ms,
        };
    }

    fn advance_check(&mut self, now: u64, until: u64) {
        if self.is_blocked(now) {
            self.phase = Phase::Checking {
                until: now + self.config.timing.answer_ms,
            };
        } else if now >= until && self.out.is_empty() {
            // Swallowed by an open command, or still to come.
            self.out.fences.clear();
            self.prepare(now);
        }
    }

    /// Ends whatever an earlier sender left open, closes off a torn receipt, sets the printer up,
    /// and asks for a fence to see whether fences work.
    fn start_sequence(&mut self, now: u64, flush_bytes: usize) {
        let answers = self.config.profile.answers;
        let mut bytes = Vec::new();
        if answers.clear_buffer {
            self.out.push(&protocol::CLEAR_BUFFERS, Purpose::Other);
        }
        bytes.resize(flush_bytes, 0);
        bytes.extend_from_slice(&protocol::INITIALIZE);
        if self.config.profile.chinese_mode {
            bytes.extend_from_slice(&protocol::LEAVE_CHINESE);
        }
        if std::mem::take(&mut self.torn_paper) {
            bytes.extend_from_slice(b"\n*** GIAN DOAN / INTERRUPTED ***\n");
            bytes.extend_from_slice(match self.config.profile.cut {
                CutPlan::TearOff => b"\x1Bd\x04",
                _ => b"\x1DVB\x00",
            });
        }
        if answers.automatic_status {
            bytes.extend_from_slice(&protocol::ENABLE_AUTOMATIC_STATUS);
        }
        if answers.fence {
            self.ask_in_step(&mut bytes);
        }
        self.out.push(&bytes, Purpose::Other);
        let wait_ms = self.wire_ms(bytes.len()) + self.config.timing.fence_ms;
        self.phase = Phase::Preparing {
            until: now + wait_ms,
            answered: false,
        };
    }

    pub(super) fn first_answer(&mut self, now: u64) {
        self.offline = None;
        self.speeds_tried = 0;
        self.phase = Phase::Preparing {
            until: u64::MAX,
            answered: false,
        };
        self.poll.ask_now(now);
    }

    pub(super) fn fence_answered(&mut self, now: u64, actions: &mut Vec<Action>) {
        match self.out.fences.pop_front() {
            Some(Fence::Job(offset)) => self.job_confirmed(now, offset, actions),
            Some(Fence::Prepare | Fence::Stale) => {
                if matches!(self.phase, Phase::Checking { .. }) && self.out.fences.is_empty() {
                    self.start_sequence(now, 0);
                } else if let Phase::Preparing { answered, until } = &mut self.phase {
                    *answered = true;
                    if self.out.fences.is_empty() {
                        // As many as we asked; those an earlier run asked may be among them.
                        *until = now + OWED_MS;
                    } else {
                        // Old answers come first; a silence ends the wait.
                        *until = now + self.config.timing.fence_ms;
                    }
                }
            }
            None => {
                if let Phase::Preparing { answered, until } = &mut self.phase
                    && *answered
                {
                    *until = (*until).max(now + OWED_MS);
                }
            }
        }
    }

    pub(super) fn advance_phase(&mut self, now: u64, actions: &mut Vec<Action>) {
        match self.phase {
            Phase::Closed { open_at } if now >= open_at => {
                self.phase = Phase::Opening;
                actions.push(Action::Open {
                    baud: self.baud(),
                    handshake: self.config.handshake,
                });
            }
            Phase::Probing { until } if now >= until && !self.is_held(now) => {
                self.try_next_speed(now, actions);
            }
            Phase::Probing { until } if now >= until => {
                self.offline = Some(OfflineReason::Held);
            }
            Phase::Checking { until } => self.advance_check(now, until),
            Phase::Preparing { until, answered } => {
                self.advance_prepare(now, until, answered, actions);
            }
            _ => {}
        }
    }

    fn try_next_speed(&mut self, now: u64, actions: &mut Vec<Action>) {
        let count = self.speeds().len();
        self.speeds_tried += 1;
        if self.speeds_tried >= count {
            self.offline = Some(OfflineReason::NoAnswer);
            if self.speeds_tried == count {
                let noisy = self.receiver.noise_bytes() > 0;
                let finding = if noisy {
                    Finding::Noise
                } else {
                    Finding::NoAnswer
                };
                self.find(finding, actions);
            }
        }
        actions.push(Action::Close);
        self.baud_index = (self.baud_index + 1) % count;
        // Once round all speeds, take it slower.
        let pause = if self.speeds_tried.is_multiple_of(count) {
            self.config.timing.reopen_ms
        } else {
            0
        };
        self.phase = Phase::Closed {
            open_at: now + pause,
        };
    }

    fn advance_prepare(&mut self, now: u64, until: u64, answered: bool, actions: &mut Vec<Action>) {
        if until == u64::MAX {
            // Nothing is sent to a printer that cannot take it in.
            if self.can_print() && !self.is_held(now) {
                // A torn receipt is most likely torn within a command.
                if self.torn_paper || !self.config.profile.answers.fence {
                    self.prepare(now);
                } else {
                    self.check(now);
                }
            }
            return;
        }
        if self.is_blocked(now) {
            // Fences rest while the printer is offline; the wait starts over when it is back.
            self.phase = Phase::Preparing {
                until: now + self.config.timing.fence_ms,
                answered,
            };
            return;
        }
        let sent = self.out.is_empty();
        if !self.config.profile.answers.fence {
            if sent {
                self.phase = Phase::Live;
            }
            return;
        }
        if now >= until && sent {
            if answered && !self.out.fences.is_empty() && self.resyncs < MAX_RESYNCS {
                // Some came, perhaps to an earlier program, and some were lost with a full
                // buffer: whose they are cannot be told, so ask anew.
                self.resyncs += 1;
                self.out.fences.clear();
                self.check(now);
                return;
            }
            // Only as many answers as questions say that each answer is ours.
            let answered = answered && self.out.fences.is_empty();
            self.resyncs = 0;
            self.fence_works = answered;
            self.out.fences.clear();
            if !answered {
                self.find(Finding::FenceSilent, actions);
            }
            self.phase = Phase::Live;
            self.poll.ask_now(now);
        }
    }
}
