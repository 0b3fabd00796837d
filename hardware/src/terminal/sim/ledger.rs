//! What a simulated terminal really did with money: its own record, independent of the kiosk's.
//!
//! Kept in memory and, if a file is given, appended and synced line by line, so that it survives
//! the death of the simulator at any moment (a torn last line is ignored).

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Reference of a record that was made with the terminal's own keys, without the till.
pub const ELSEWHERE: &str = "elsewhere";

/// What a record stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Money taken from a card.
    Sale,
    /// Money given to a card.
    Refund,
    /// The record with this trace number was taken back.
    Reversal {
        /// Trace number of that record.
        original_trace: u32,
    },
    /// An order that was declined with this code; no money moved.
    Declined {
        /// Result code.
        code: u8,
    },
    /// The day was closed.
    DayClose,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it stands for.
    pub kind: RecordKind,
    /// Trace number.
    pub trace: u32,
    /// Receipt number.
    pub receipt: u16,
    /// Minor units.
    pub amount_minor: u64,
    /// ISO 4217 numeric code.
    pub currency: u16,
    /// The till's own reference, where the protocol carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// All records of one terminal.
#[derive(Debug, Default)]
pub struct Ledger {
    records: Vec<Record>,
    file: Option<File>,
}

impl Ledger {
    /// A ledger in memory.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// A ledger in a file, with what the file already holds.
    ///
    /// # Errors
    /// The file cannot be opened or read; check the path and its permissions.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)?;
        let mut records = Vec::new();
        let mut torn = false;
        for line in BufReader::new(&file).lines() {
            match serde_json::from_str(&line?) {
                Ok(record) => records.push(record),
                Err(_) => torn = true,
            }
        }
        if torn {
            file.write_all(b"\n")?;
        }
        Ok(Self {
            records,
            file: Some(file),
        })
    }

    /// All records in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Adds a record; durable when this returns.
    ///
    /// # Errors
    /// The file cannot be written; the record is not added, as a real terminal would not book it.
    pub fn append(&mut self, record: Record) -> io::Result<()> {
        if let Some(file) = self.file.as_mut() {
            let mut line = serde_json::to_vec(&record)?;
            line.push(b'\n');
            file.write_all(&line)?;
            file.sync_data()?;
        }
        self.records.push(record);
        Ok(())
    }

    /// Adds a sale made with the terminal's own keys; `false` when it cannot be written.
    pub(crate) fn stand_alone_sale(&mut self, amount_minor: u64) -> bool {
        let last = self.records.last();
        let record = Record {
            kind: RecordKind::Sale,
            trace: last.map_or(0, |record| record.trace) + 1,
            receipt: last.map_or(0, |record| record.receipt) % 9999 + 1,
            amount_minor,
            currency: last.map_or(0, |record| record.currency),
            reference: Some(ELSEWHERE.into()),
        };
        self.append(record).is_ok()
    }

    /// Sales whose money was taken and not taken back.
    pub fn charged(&self) -> Vec<Record> {
        let taken_back = |trace: u32| {
            self.records.iter().any(|record| {
                matches!(record.kind, RecordKind::Reversal { original_trace }
                    if original_trace == trace)
            })
        };
        self.records
            .iter()
            .filter(|record| record.kind == RecordKind::Sale && !taken_back(record.trace))
            .cloned()
            .collect()
    }

    /// Records of money since the last day close.
    pub fn open_batch(&self) -> &[Record] {
        let start = self
            .records
            .iter()
            .rposition(|record| record.kind == RecordKind::DayClose)
            .map_or(0, |place| place + 1);
        &self.records[start..]
    }
}
