//! What waits to be written, and the questions whose answers are awaited.

use std::collections::VecDeque;

use super::super::protocol::{self, status::Status};

/// Why a piece is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Bytes of the running job.
    Job,
    /// The status questions.
    AskStatus,
    /// Everything else.
    Other,
}

/// Bytes that go out in one go before anything else may.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) written: usize,
    pub(super) purpose: Purpose,
}

impl Piece {
    pub(super) fn new(bytes: impl Into<Vec<u8>>, purpose: Purpose) -> Self {
        Self {
            bytes: bytes.into(),
            written: 0,
            purpose,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.written >= self.bytes.len()
    }
}

/// What a fence stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    /// The bytes of the running job up to here.
    Job(usize),
    /// The start sequence.
    Prepare,
    /// A job that is over; its answer may still come.
    Stale,
}

/// What came of a status question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polled {
    /// Still waiting, or nothing asked.
    Waiting,
    /// No answer in time.
    Missed,
}

/// Brief questions between two full rounds.
const BRIEF_QUESTIONS: u32 = 3;
/// Between brief questions, in milliseconds.
const BRIEF_PAUSE_MS: u64 = 1_000;

#[derive(Debug, Clone)]
struct Asked {
    full: bool,
    asked_at: u64,
    written_at: Option<u64>,
    answers: Vec<u8>,
}

/// The status questions: when to ask, whose answer a byte is.
///
/// Answers carry no question number, so order is all there is. After a miss one short question
/// is asked until it is answered, which brings both sides back in step.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    asked: Option<Asked>,
    next_at: u64,
    misses: u32,
    in_step: bool,
    /// Brief questions since the last full one.
    briefs: u32,
    last_brief: Option<u8>,
    /// When the question behind the newest full answer was asked.
    pub(super) answered_question_of: Option<u64>,
}

impl Poll {
    pub(super) fn new(now: u64) -> Self {
        Self {
            asked: None,
            next_at: now,
            misses: 0,
            in_step: false,
            briefs: 0,
            last_brief: None,
            answered_question_of: None,
        }
    }

    /// Rounds in a row without an answer.
    pub(super) fn misses(&self) -> u32 {
        self.misses
    }

    /// Asks as soon as the line allows.
    pub(super) fn ask_now(&mut self, now: u64) {
        self.next_at = self.next_at.min(now);
    }

    /// The question to queue now, if it is time. An offline printer may keep questions in its
    /// buffer, so it is asked `brief`ly: three times for one full round.
    pub(super) fn question(&mut self, now: u64, brief: bool) -> Option<Piece> {
        if self.asked.is_some() || now < self.next_at {
            return None;
        }
        let full = self.in_step && !(brief && self.briefs < BRIEF_QUESTIONS);
        self.asked = Some(Asked {
            full,
            asked_at: now,
            written_at: None,
            answers: Vec::new(),
        });
        let bytes: &[u8] = if full {
            &protocol::ASK_STATUS
        } else {
            &protocol::ASK_ONLINE
        };
        Some(Piece::new(bytes, Purpose::AskStatus))
    }

    /// The question has left the host at `at`.
    pub(super) fn written(&mut self, at: u64) {
        if let Some(asked) = &mut self.asked {
            asked.written_at = Some(at);
        }
    }

    /// A status byte came. Returns the status when it completes one.
    pub(super) fn answer(&mut self, now: u64, byte: u8, pause_ms: u64) -> Option<Status> {
        self.misses = 0;
        let asked = self.asked.as_mut()?;
        asked.answers.push(byte);
        if !asked.full {
            self.asked = None;
            let changed = self.last_brief.replace(byte) != Some(byte);
            if self.in_step && !changed {
                self.briefs += 1;
                self.next_at = now + BRIEF_PAUSE_MS;
                return None;
            }
            self.in_step = true;
            self.briefs = BRIEF_QUESTIONS;
            // Late answers to older questions arrive before the next one is asked.
            self.next_at = now + 50;
            return None;
        }
        let answers = <[u8; 4]>::try_from(asked.answers.as_slice()).ok()?;
        self.briefs = 0;
        self.last_brief = Some(answers[0]);
        self.answered_question_of = Some(asked.asked_at);
        self.asked = None;
        self.next_at = now + pause_ms;
        Some(Status::from_real_time(answers))
    }

    /// Whether the waiting question ran out of time.
    pub(super) fn check(&mut self, now: u64, answer_ms: u64, mute: bool) -> Polled {
        let Some(written_at) = self.asked.as_ref().and_then(|asked| asked.written_at) else {
            return Polled::Waiting;
        };
        if now < written_at + answer_ms || mute {
            return Polled::Waiting;
        }
        let silent = self
            .asked
            .as_ref()
            .is_some_and(|asked| asked.answers.is_empty());
        self.asked = None;
        self.in_step = false;
        self.next_at = now;
        if silent {
            self.misses += 1;
        }
        Polled::Missed
    }

    /// When something is due next.
    pub(super) fn wake_at(&self, answer_ms: u64) -> u64 {
        match &self.asked {
            Some(asked) => asked.written_at.map_or(u64::MAX, |at| at + answer_ms),
            None => self.next_at,
        }
    }
}

/// Everything on its way to the printer besides the job itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Outgoing {
    pub(super) current: Option<Piece>,
    pub(super) queue: VecDeque<Piece>,
    pub(super) fences: VecDeque<Fence>,
}

impl Outgoing {
    pub(super) fn push(&mut self, bytes: &[u8], purpose: Purpose) {
        self.queue.push_back(Piece::new(bytes, purpose));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
    }

    /// The running job is over; answers to its fences may still come.
    pub(super) fn orphan_fences(&mut self) {
        for fence in &mut self.fences {
            if matches!(fence, Fence::Job(_)) {
                *fence = Fence::Stale;
            }
        }
    }
}
