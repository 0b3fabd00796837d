//! Reads a job before it is sent: where commands end, how much paper it takes.

use super::super::encode::height_of_stored_logo;
use super::super::profile::Profile;
use super::super::protocol::command::{Command, Front, front};
use super::super::protocol::find_real_time;

/// Largest job, in bytes. A receipt takes 2 to 20 KB; this keeps a mistake off the paper.
pub const MAX_JOB_BYTES: usize = 256 * 1_024;

/// Line height of font A at the default spacing, in dots.
const LINE_DOTS: u32 = 30;

/// Why bytes are not a job. Sending them again does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// No bytes, or more than [`MAX_JOB_BYTES`].
    #[error("the job is empty or larger than {MAX_JOB_BYTES} bytes: encode it again")]
    Size,
    /// Holds a sequence the printer would obey at once.
    #[error("the job holds a real-time command at byte {at}: encode it again")]
    RealTime {
        /// Offset of the sequence.
        at: usize,
    },
    /// Holds a question, whose answer would be taken for the driver's own.
    #[error("the job asks the printer a question at byte {at}: encode it again")]
    Question {
        /// Offset of the command.
        at: usize,
    },
    /// Holds a command not known here.
    #[error("the job holds an unknown command at byte {at}: encode it again")]
    Unknown {
        /// Offset of the command.
        at: usize,
    },
    /// Ends in the middle of a command.
    #[error("the job ends in the middle of the command at byte {at}: encode it again")]
    Partial {
        /// Offset of the command.
        at: usize,
    },
}

/// One command of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Offset just behind the command.
    pub end: usize,
    /// Paper moved up to here, in dots; a cut counts with the time it takes.
    pub dots: u32,
}

/// A job, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPlan {
    /// The bytes to send.
    pub bytes: Vec<u8>,
    /// Its commands in order.
    pub steps: Vec<Step>,
    /// How often it cuts.
    pub cuts: u32,
}

impl JobPlan {
    /// Reads `bytes` as a job for `profile`.
    ///
    /// # Errors
    /// [`JobError`] naming the first byte that is wrong.
    pub fn read(bytes: Vec<u8>, profile: &Profile) -> Result<Self, JobError> {
        if bytes.is_empty() || bytes.len() > MAX_JOB_BYTES {
            return Err(JobError::Size);
        }
        if let Some(at) = find_real_time(&bytes) {
            return Err(JobError::RealTime { at });
        }
        let mut ruler = Ruler::new(profile);
        let mut steps = Vec::new();
        let mut at = 0;
        loop {
            match front(&bytes[at..]) {
                Front::Empty => break,
                Front::Partial => return Err(JobError::Partial { at }),
                Front::Whole(Command::Unknown(_) | Command::RealTime(_), _) => {
                    return Err(JobError::Unknown { at });
                }
                Front::Whole(command, _) if is_question(&command) => {
                    return Err(JobError::Question { at });
                }
                Front::Whole(command, length) => {
                    ruler.measure(&command);
                    at += length;
                    steps.push(Step {
                        end: at,
                        dots: ruler.dots,
                    });
                }
            }
        }
        let cuts = ruler.cuts;
        Ok(Self { bytes, steps, cuts })
    }

    /// Paper the job takes, in dots.
    pub fn height_dots(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.dots)
    }

    /// The furthest command end in `from < end <= limit`, else the end of the command that
    /// crosses `limit`; with it whether the whole stretch fits the limit.
    pub fn boundary(&self, from: usize, limit: usize) -> (usize, bool) {
        let first_behind = self.steps.partition_point(|step| step.end <= limit);
        match first_behind
            .checked_sub(1)
            .map(|index| self.steps[index].end)
        {
            Some(end) if end > from => (end, true),
            _ => {
                let end = self.steps.get(first_behind).map(|step| step.end);
                (end.unwrap_or(self.bytes.len()), false)
            }
        }
    }

    /// Whether `offset` is the start, the end of a command, or the end of the job.
    pub fn is_boundary(&self, offset: usize) -> bool {
        offset == 0
            || self
                .steps
                .binary_search_by_key(&offset, |step| step.end)
                .is_ok()
    }

    /// Paper moved when all bytes before `offset` are printed, in dots.
    pub fn dots_at(&self, offset: usize) -> u32 {
        let index = self.steps.partition_point(|step| step.end <= offset);
        index
            .checked_sub(1)
            .map_or(0, |index| self.steps[index].dots)
    }

    /// The offset up to which the printer has surely read once it moved `dots` of paper.
    pub fn offset_at(&self, dots: u32) -> usize {
        let index = self.steps.partition_point(|step| step.dots <= dots);
        index
            .checked_sub(1)
            .map_or(0, |index| self.steps[index].end)
    }
}

fn is_question(command: &Command<'_>) -> bool {
    matches!(
        command,
        Command::AskStatusInOrder(_)
            | Command::AskIdentity(_)
            | Command::AskCounter(_)
            | Command::Function { letter: b'H', .. }
    )
}

/// Adds up the paper a job moves.
struct Ruler<'a> {
    profile: &'a Profile,
    dots: u32,
    cuts: u32,
    tall: bool,
    spacing: u32,
    qr_dots: u32,
    barcode_dots: u32,
}

impl<'a> Ruler<'a> {
    fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            dots: 0,
            cuts: 0,
            tall: false,
            spacing: LINE_DOTS,
            qr_dots: 0,
            barcode_dots: 162,
        }
    }

    fn units(&self, units: u8) -> u32 {
        u32::from(units) / u32::from(self.profile.feed_units_per_dot.max(1))
    }

    fn measure(&mut self, command: &Command<'_>) {
        match command {
            Command::Initialize => {
                self.tall = false;
                self.spacing = LINE_DOTS;
            }
            Command::Size(size) => self.tall = size & 0x0F > 0,
            Command::PrintMode(mode) => self.tall = mode & 0x10 > 0,
            Command::DefaultLineSpacing => self.spacing = LINE_DOTS,
            Command::LineSpacing(units) => self.spacing = self.units(*units),
            Command::LineFeed => self.dots += self.spacing.max(if self.tall { 48 } else { 24 }),
            Command::FeedUnits(units) => self.dots += self.units(*units),
            Command::FeedLines(lines) => self.dots += u32::from(*lines) * self.spacing,
            Command::Raster {
                mode,
                row_bytes,
                data,
            } => {
                let rows = (data.len() / (*row_bytes).max(1)) as u32;
                self.dots += rows * if mode & 2 == 0 { 1 } else { 2 };
            }
            Command::Function { letter: b'k', data } => self.measure_qr(data),
            Command::Function {
                letter: b'L',
                data: [0x30, 0x45, first, second, _, zoom],
            } => self.dots += height_of_stored_logo([*first, *second]) * u32::from(*zoom),
            Command::BarcodeHeight(dots) => self.barcode_dots = u32::from(*dots),
            Command::Barcode { .. } => self.dots += self.barcode_dots + LINE_DOTS,
            Command::Cut { .. } => {
                // The blade takes about as long as a centimetre of paper.
                self.dots += self.profile.mm_to_dots(self.profile.head_to_blade_mm + 10);
                self.cuts += 1;
            }
            _ => {}
        }
    }

    fn measure_qr(&mut self, data: &[u8]) {
        match data {
            [0x31, 0x50, 0x30, content @ ..] => {
                let code = qrcode::QrCode::with_error_correction_level(content, qrcode::EcLevel::M);
                self.qr_dots = code.map_or(0, |code| code.width() as u32 * 6);
            }
            [0x31, 0x51, ..] => self.dots += self.qr_dots,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(bytes: &[u8]) -> Result<JobPlan, JobError> {
        JobPlan::read(bytes.to_vec(), &Profile::default())
    }

    #[test]
    fn bytes_that_could_confuse_the_driver_are_refused() {
        // Proves: real-time commands, questions, unknown and cut-off commands never go out.
        assert_eq!(read(b""), Err(JobError::Size));
        assert_eq!(read(b"a\x10\x04\x01"), Err(JobError::RealTime { at: 1 }));
        assert_eq!(read(b"a\x1Dr\x01"), Err(JobError::Question { at: 1 }));
        assert_eq!(read(b"a\x1B\x07"), Err(JobError::Unknown { at: 1 }));
        assert_eq!(
            read(b"a\n\x1B*\x21\x02\x00abc"),
            Err(JobError::Partial { at: 2 })
        );
    }

    #[test]
    fn boundaries_and_paper_are_found() {
        // Proves: pieces end at command ends and the paper estimate follows the lines.
        let plan = read(b"abc\nde\n\x1D\x56\x42\x00").unwrap();
        let ends: Vec<usize> = plan.steps.iter().map(|step| step.end).collect();
        assert_eq!(ends, [3, 4, 6, 7, 11]);
        assert_eq!(plan.boundary(0, 5), (4, true));
        assert_eq!(plan.boundary(7, 8), (11, false));
        assert!(plan.is_boundary(6) && !plan.is_boundary(8));
        assert_eq!((plan.dots_at(4), plan.offset_at(30)), (30, 6));
        assert_eq!((plan.height_dots(), plan.cuts), (60 + 200, 1));
    }
}
