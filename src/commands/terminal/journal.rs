//! The journal of `kiosk terminal`: a file of lines, each synchronised before anything follows
//! from it.
//!
//! The first line names the format; every other line is a [`Row`]. A torn last line is the trace
//! of a write that was interrupted: nothing can have followed from it, so it is cut off. Any other
//! line that cannot be read stops the command, because a payment could hide behind it.

use hardware::terminal::{
    Amount, Approval, AttemptId, Baseline, JournalProof, JournalStep, OrderKind, Protocol,
    RecoverRequest,
};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// First line of every journal.
const HEADER: &str = r#"{"journal":"kiosk-terminal","version":1}"#;

/// Why the journal cannot be used. Nothing is sent to a terminal without it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be opened, read or written. Retrying helps once the cause is gone.
    #[error("{path}: {error}. Nothing was sent for it; check the path, the disk and its space")]
    Io {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another command uses it. Retry when that has ended.
    #[error("{path}: another kiosk terminal command is using this journal; wait for it")]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// The file is something else. Retrying does not help.
    #[error("{path}: this is not a journal of kiosk terminal; give another file")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A line cannot be read. Retrying does not help: a person must look.
    #[error(
        "{path}: line {line} is damaged ({why}). A payment may hide behind it: compare the \
         terminal's own record, then begin a new journal"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

/// What is written down about one order before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    /// Wall time in Unix milliseconds; for people, nothing is decided by it.
    pub at_ms: i64,
    /// The attempt.
    #[serde(with = "id")]
    pub attempt: AttemptId,
    /// Protocol of the terminal.
    pub protocol: Protocol,
    /// Where the terminal is: `HOST:PORT` or a path.
    pub place: String,
    /// What is ordered.
    pub kind: OrderKind,
    /// Money; `None` for a day close.
    pub amount: Option<Amount>,
    /// Receipt to reverse.
    pub receipt: Option<u16>,
    /// The terminal's last transaction before.
    pub baseline: Baseline,
}

/// How an order is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It happened: money moved as ordered, or the day is closed.
    Happened,
    /// It did not happen.
    DidNotHappen,
    /// It is left open; only for a day close, which moves no money.
    Unsettled,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The terminal, when the order ended.
    Terminal,
    /// The terminal, asked afterwards.
    Recovery,
    /// A person with the terminal's own record in hand.
    Person,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Row {
    Armed(Ordered),
    Approved {
        #[serde(with = "id")]
        attempt: AttemptId,
        approval: Approval,
    },
    Closed {
        #[serde(with = "id")]
        attempt: AttemptId,
        verdict: Verdict,
        source: Source,
    },
}

/// Attempts as people write them.
mod id {
    use super::AttemptId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(id: &AttemptId, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(id)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<AttemptId, D::Error> {
        let text = String::deserialize(from)?;
        let uuid = uuid::Uuid::parse_str(&text).map_err(D::Error::custom)?;
        Ok(AttemptId(uuid.into_bytes()))
    }
}

/// One order with everything that is known about it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What was ordered.
    pub ordered: Ordered,
    /// The approval, if one was stored.
    pub approval: Option<Approval>,
    /// How it was settled.
    pub verdict: Option<Verdict>,
}

impl Entry {
    /// What the terminal must be told to find out; `None` for a day close.
    pub fn request(&self) -> Option<RecoverRequest> {
        Some(RecoverRequest {
            attempt: self.ordered.attempt,
            kind: self.ordered.kind,
            amount: self.ordered.amount?,
            baseline: self.ordered.baseline.clone(),
            approval: self.approval.clone(),
        })
    }
}

/// Says that a row is on disk. Made by [`FileJournal`] after the file was synchronised, used up by
/// the one token it proves.
#[derive(Debug)]
pub struct OnDisk {
    attempt: AttemptId,
    step: JournalStep,
    amount: Option<Amount>,
}

impl JournalProof for OnDisk {
    fn attempt(&self) -> AttemptId {
        self.attempt
    }
    fn step(&self) -> JournalStep {
        self.step
    }
    fn amount(&self) -> Option<Amount> {
        self.amount
    }
}

/// The journal, locked for this process.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: File,
    length: u64,
    entries: Vec<Entry>,
}

impl FileJournal {
    /// Opens or begins the journal at `path` and locks it.
    ///
    /// # Errors
    /// [`JournalError`]; the file is left as it is, but for a torn last line.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = |error| JournalError::Io {
            path: path.to_owned(),
            error,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::InUse {
                path: path.to_owned(),
            },
            TryLockError::Error(error) => io(error),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |place| place + 1);
        // A journal that died with its first line half written may be begun again; a file of
        // something else may not.
        if whole == 0 && !HEADER.as_bytes().starts_with(&bytes) {
            return Err(JournalError::Foreign {
                path: path.to_owned(),
            });
        }
        let mut journal = Self {
            path: path.to_owned(),
            file,
            length: whole as u64,
            entries: Vec::new(),
        };
        journal.replay(&bytes[..whole])?;
        if whole < bytes.len() {
            journal.cut().map_err(io)?;
        }
        if whole == 0 {
            journal.append_line(HEADER)?;
            journal.sync_folder().map_err(io)?;
        }
        Ok(journal)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The order that is not settled, if there is one.
    pub fn open_entry(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.verdict.is_none())
    }

    /// Writes an order down; it may be sent once this returned.
    ///
    /// # Errors
    /// [`JournalError::Io`]: the order must not be sent.
    pub fn armed(&mut self, ordered: Ordered) -> Result<OnDisk, JournalError> {
        self.append(Row::Armed(ordered.clone()))?;
        Ok(OnDisk {
            attempt: ordered.attempt,
            step: JournalStep::Armed,
            amount: ordered.amount,
        })
    }

    /// Writes an approval down; it may be acknowledged once this returned.
    ///
    /// # Errors
    /// [`JournalError::Io`]: the approval must be refused.
    pub fn approved(&mut self, approval: &Approval) -> Result<OnDisk, JournalError> {
        self.append(Row::Approved {
            attempt: approval.attempt,
            approval: approval.clone(),
        })?;
        Ok(OnDisk {
            attempt: approval.attempt,
            step: JournalStep::Approved,
            amount: Some(approval.amount),
        })
    }

    /// Settles an order.
    ///
    /// # Errors
    /// [`JournalError::Io`]: the order stays open and is asked about again.
    pub fn closed(
        &mut self,
        attempt: AttemptId,
        verdict: Verdict,
        source: Source,
    ) -> Result<(), JournalError> {
        self.append(Row::Closed {
            attempt,
            verdict,
            source,
        })
    }

    /// Money taken less money given back since the last day close at `place`, in minor units of
    /// the currency of `like`; `None` when it cannot be said because a day close is unsettled.
    pub fn day_total_minor(&self, place: &str, like: hardware::terminal::Currency) -> Option<i128> {
        let mut total = Some(0i128);
        for entry in self.entries.iter().filter(|e| e.ordered.place == place) {
            let amount = entry.ordered.amount.filter(|a| a.currency == like);
            let minor = amount.map_or(0, |amount| i128::from(amount.minor));
            total = match (entry.ordered.kind, entry.verdict) {
                (OrderKind::DayClose, Some(Verdict::Happened)) => Some(0),
                (OrderKind::DayClose, Some(Verdict::Unsettled) | None) => None,
                (OrderKind::Payment, Some(Verdict::Happened)) => total.map(|sum| sum + minor),
                (OrderKind::Refund | OrderKind::Reversal, Some(Verdict::Happened)) => {
                    total.map(|sum| sum - minor)
                }
                _ => total,
            };
        }
        total
    }

    fn replay(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let damaged = |line: usize, why: String| JournalError::Damaged {
            path: self.path.clone(),
            line,
            why,
        };
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                return Err(damaged(line, "it is not text".into()));
            }
        };
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if number == 0 && line != HEADER {
                return Err(JournalError::Foreign {
                    path: self.path.clone(),
                });
            }
            if number > 0 {
                let row = serde_json::from_str(line)
                    .map_err(|error| damaged(number + 1, error.to_string()))?;
                apply(&mut entries, row).map_err(|why| damaged(number + 1, why.into()))?;
            }
        }
        self.entries = entries;
        Ok(())
    }

    fn append(&mut self, row: Row) -> Result<(), JournalError> {
        let line = serde_json::to_string(&row).map_err(|error| self.io(error.into()))?;
        self.append_line(&line)?;
        // A row of this program always follows from those before it.
        apply(&mut self.entries, row)
            .map_err(|why| self.io(io::Error::other(format!("row out of order: {why}"))))
    }

    fn append_line(&mut self, line: &str) -> Result<(), JournalError> {
        let line = format!("{line}\n");
        let written = self
            .file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What is half there must not become the beginning of the next row. When it cannot be
            // taken away either, that next row makes a damaged line, which is noticed.
            let _ = self.cut();
            return Err(self.io(error));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    fn cut(&self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_data()
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }

    fn io(&self, error: io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.clone(),
            error,
        }
    }
}

/// Adds what a row says; refuses a row that does not follow from those before it.
fn apply(entries: &mut Vec<Entry>, row: Row) -> Result<(), &'static str> {
    match row {
        Row::Approved { attempt, approval } => {
            unsettled(entries, attempt)?.approval = Some(approval)
        }
        Row::Closed {
            attempt, verdict, ..
        } => unsettled(entries, attempt)?.verdict = Some(verdict),
        Row::Armed(ordered) => {
            if entries.iter().any(|entry| entry.verdict.is_none()) {
                return Err("an earlier order is not settled");
            }
            entries.push(Entry {
                ordered,
                approval: None,
                verdict: None,
            });
        }
    }
    Ok(())
}

fn unsettled(entries: &mut [Entry], attempt: AttemptId) -> Result<&mut Entry, &'static str> {
    entries
        .iter_mut()
        .find(|entry| entry.ordered.attempt == attempt && entry.verdict.is_none())
        .ok_or("it belongs to no open order")
}

#[cfg(test)]
impl FileJournal {
    /// Every order, oldest first.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// From now on nothing can be written, as on a disk that failed.
    pub(super) fn fail(&mut self) {
        self.file = File::open(&self.path).expect("the journal is there");
    }
}
