//! `kiosk print`: bytes to a printer through the counter's own driver, and how well it is proven
//! that they are on paper.

use crate::format::Language;
use crate::receipt::logo;
use crate::view::text::pick;
use anyhow::{Context, Result, bail};
use clap::Args;
use hardware::printer::doctor::{Finding, attention};
use hardware::printer::driver::{
    Evidence, JobId, NoSpool, OfflineReason, PrinterConfig, PrinterDriver, PrinterEvent,
    PrinterState, ProofGrade, Refusal, Timing,
};
use hardware::printer::encode::{SelfTest, self_test, store_logo};
use hardware::printer::profile::Profile;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;

/// How long a printer may take to answer before the job is refused, in milliseconds: trying every
/// speed takes some ten seconds.
const CONNECT_MS: u64 = 20_000;

/// The only job.
const JOB: JobId = JobId(1);

/// Where a printer is.
#[derive(Clone, Debug, Args)]
pub struct PrinterArgs {
    /// Serial port of the printer; otherwise printer.port of the configuration.
    #[arg(long, value_name = "PATH")]
    pub port: Option<PathBuf>,
    /// Which printer: epson-t88, xprinter-clone, tx-only, mm58, or a profile file (….toml).
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Line speed in bits per second; otherwise it is found by trying.
    #[arg(long, value_name = "N")]
    pub baud: Option<u32>,
    /// Configuration to take the printer from when there is no --port.
    #[arg(long, value_name = "FILE", default_value = "/etc/kiosk/kiosk.toml")]
    pub config: PathBuf,
    /// Language of what is said: vi or en.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    pub lang: String,
}

/// The profile of this name, or of this file seen from here.
///
/// # Errors
/// An unknown name, or a file that is no profile.
pub fn here(name: &str) -> Result<Profile> {
    Ok(crate::config::printer_profile(
        name,
        std::path::Path::new(""),
    )?)
}

impl PrinterArgs {
    /// The printer that is meant.
    ///
    /// # Errors
    /// An unknown profile, or neither port nor configuration.
    pub fn printer(&self) -> Result<PrinterConfig> {
        let Some(port) = &self.port else {
            let config = crate::config::load(&self.config)
                .context("no --port given, and none to be had from the configuration")?;
            let printer = config
                .file
                .printer
                .context("there is no [printer] in it; give --port")?;
            let profile = match &self.profile {
                Some(name) => here(name)?,
                None => config.printer_profile.context("printer.profile")?,
            };
            return Ok(PrinterConfig {
                baud: self.baud.or(Some(printer.baud)),
                ..PrinterConfig::new(printer.port, profile)
            });
        };
        let name = self.profile.as_deref().unwrap_or("xprinter-clone");
        let profile = here(name)?;
        Ok(PrinterConfig {
            baud: self.baud,
            ..PrinterConfig::new(port, profile)
        })
    }

    /// The language that is asked for.
    ///
    /// # Errors
    /// A language nobody speaks here.
    pub fn language(&self) -> Result<Language> {
        Language::from_code(&self.lang).with_context(|| {
            format!(
                "--lang {}: there is no such language; write vi or en",
                self.lang
            )
        })
    }
}

/// Arguments of `kiosk print`.
#[derive(Clone, Debug, Args)]
pub struct PrintArgs {
    /// The printer.
    #[command(flatten)]
    pub printer: PrinterArgs,
    /// Bytes made by `kiosk receipt render`.
    #[arg(value_name = "FILE", required_unless_present_any = ["self_test", "store_logo"])]
    pub file: Option<PathBuf>,
    /// Print the test page instead: ruler, letters, code pages, codes, cut.
    #[arg(long, conflicts_with_all = ["file", "store_logo"])]
    pub self_test: bool,
    /// With --self-test: a sample of every code page from 0 to 255 (20 to 30 cm more paper).
    // Said twice: what is required is waived where it conflicts with something that is there.
    #[arg(long, requires = "self_test", conflicts_with_all = ["file", "store_logo"])]
    pub all_pages: bool,
    /// Store a PNG picture as the printer's logo instead (then set receipt.logo_in_printer).
    #[arg(long, value_name = "PNG", conflicts_with = "file")]
    pub store_logo: Option<PathBuf>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The printer said that it is on paper.
    Printed(ProofGrade),
    /// Sent in full to a printer that confirms nothing: as expected of it.
    Sent {
        /// Whether it reported no fault throughout.
        status_clean: bool,
    },
    /// Sent in full; the printer should have confirmed it and did not.
    Unverified {
        /// Whether it reported no fault throughout.
        status_clean: bool,
    },
    /// Not one byte left: may be printed again as it is.
    NotPrinted {
        /// Why, and what to do.
        reason: String,
    },
    /// Something may be on paper: print again only as a marked copy.
    Unknown {
        /// Why, and what to do.
        reason: String,
    },
}

impl Outcome {
    /// 0 printed, 3 sent and not verified, 4 not printed and nothing sent, 5 unknown. (1 is any other error
    /// and 2 a wrong command line.)
    pub fn code(&self) -> u8 {
        match self {
            Self::Printed(_) => 0,
            Self::Sent { .. } | Self::Unverified { .. } => 3,
            Self::NotPrinted { .. } => 4,
            Self::Unknown { .. } => 5,
        }
    }

    /// In words, with the grade of the evidence (T3 best, T0 none).
    pub fn says(&self, language: Language) -> String {
        let say = |vietnamese, english| pick(language, vietnamese, english).to_owned();
        match self {
            Self::Printed(grade) => {
                let (tier, vietnamese, english) = proof(*grade);
                let words = say(vietnamese, english);
                format!("{} [{tier}]: {words}", say("đã in", "printed"))
            }
            Self::Sent { status_clean: true } => say(
                "đã gửi hết đến máy in [T1]: máy in không báo lỗi, loại máy này không xác nhận được gì hơn",
                "sent to the printer in full [T1]: it reported no fault, and this model can confirm no more",
            ),
            Self::Sent {
                status_clean: false,
            } => say(
                "đã gửi hết đến máy in [T0]: loại máy này không trả lời được; hãy nhìn giấy",
                "sent to the printer in full [T0]: this model cannot tell anything; look at the paper",
            ),
            Self::Unverified { status_clean } => format!(
                "{} [{}]: {}",
                say(
                    "đã gửi hết nhưng chưa xác nhận được",
                    "sent in full, not verified"
                ),
                if *status_clean { "T1" } else { "T0" },
                say(
                    "máy in đáng lẽ phải xác nhận nhưng không; hãy nhìn giấy và chạy kiosk doctor printer",
                    "the printer should have confirmed it and did not; look at the paper and run kiosk doctor printer",
                )
            ),
            Self::NotPrinted { reason } => format!(
                "{}: {reason}",
                say(
                    "chưa in, chưa gửi byte nào",
                    "not printed, nothing was sent"
                )
            ),
            Self::Unknown { reason } => {
                format!("{}: {reason}", say("không rõ đã in hay chưa", "unknown"))
            }
        }
    }
}

fn proof(grade: ProofGrade) -> (&'static str, &'static str, &'static str) {
    match grade {
        ProofGrade::Fence => (
            "T2",
            "máy in trả lời sau lệnh cắt giấy, không báo lỗi",
            "the printer answered behind the cut and reported no fault",
        ),
        ProofGrade::FenceAndCounter => (
            "T2+",
            "máy in trả lời sau lệnh cắt giấy và bộ đếm dao cắt đã tăng",
            "the printer answered behind the cut and its cut counter went up",
        ),
        ProofGrade::ProcessId => (
            "T3",
            "máy in gửi lại mã của lần in này",
            "the printer echoed the id of this job",
        ),
        ProofGrade::ProcessIdAndCounter => (
            "T3+",
            "máy in gửi lại mã của lần in này và bộ đếm dao cắt đã tăng",
            "the printer echoed the id of this job and its cut counter went up",
        ),
    }
}

pub(super) fn run(args: &PrintArgs) -> Result<ExitCode> {
    let language = args.printer.language()?;
    let printer = args.printer.printer()?;
    let bytes = bytes(args, &printer.profile)?;
    let outcome = print(printer, bytes, &mut Teller::new(language))?;
    tell!("{}", outcome.says(language));
    Ok(ExitCode::from(outcome.code()))
}

fn bytes(args: &PrintArgs, profile: &Profile) -> Result<Vec<u8>> {
    if args.self_test {
        let extent = if args.all_pages {
            SelfTest::AllPages
        } else {
            SelfTest::Page
        };
        return Ok(self_test(profile, extent).into_bytes());
    }
    if let Some(path) = &args.store_logo {
        let picture = logo::read(path).context("--store-logo")?;
        return Ok(store_logo(&picture, profile)?.into_bytes());
    }
    let Some(path) = &args.file else {
        bail!("give a file of bytes, --self-test or --store-logo");
    };
    read(path)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))
}

/// Prints `bytes` and waits for the end, telling what happens on the way.
///
/// # Errors
/// When no thread can be started.
pub fn print(config: PrinterConfig, bytes: Vec<u8>, teller: &mut Teller) -> Result<Outcome> {
    let config = PrinterConfig {
        timing: Timing {
            preflight_ms: CONNECT_MS,
            ..Timing::default()
        },
        ..config
    };
    let (sender, events) = channel();
    // The receiver outlives the driver.
    let driver = PrinterDriver::spawn(config, move |event| drop(sender.send(event)))
        .context("the printer's thread could not be started")?;
    driver.print(JOB, bytes, NoSpool);
    let mut outcome = None;
    let mut hopeless = None;
    for event in events.iter() {
        teller.tell(&event);
        if let PrinterEvent::State(state) = event
            && is_hopeless(state)
        {
            // No use in waiting: it does not come back by itself. Only a job of which nothing
            // was sent is taken back here, all else has its own end.
            hopeless = Some(state);
            driver.cancel(JOB);
        }
        outcome = ending(event, hopeless);
        if outcome.is_some() {
            break;
        }
    }
    driver.stop();
    outcome.context("the printer's thread ended early; print again only as a marked copy")
}

/// Whether a person has to do something about the port or the printer's power first.
fn is_hopeless(state: PrinterState) -> bool {
    use OfflineReason::{Forbidden, NoAnswer, PortBusy, PortUnsuitable, Unplugged};
    matches!(
        state,
        PrinterState::Offline(Forbidden | NoAnswer | PortBusy | PortUnsuitable | Unplugged)
    )
}

fn ending(event: PrinterEvent, hopeless: Option<PrinterState>) -> Option<Outcome> {
    Some(match event {
        PrinterEvent::JobDone { evidence, .. } => match evidence {
            Evidence::Printed(grade) => Outcome::Printed(grade),
            Evidence::Sent { status_clean } => Outcome::Sent { status_clean },
            Evidence::Unverified { status_clean } => Outcome::Unverified { status_clean },
        },
        PrinterEvent::JobFailed {
            nothing_sent,
            reason,
            ..
        } => {
            let state = match &reason {
                Refusal::NotReady(state) => Some(*state),
                _ => hopeless,
            };
            let reason =
                state.map_or_else(|| reason.to_string(), |state| attention(state).1.to_owned());
            if nothing_sent {
                Outcome::NotPrinted { reason }
            } else {
                Outcome::Unknown { reason }
            }
        }
        PrinterEvent::JobUnknown { trace, doubt, .. } => Outcome::Unknown {
            reason: format!(
                "{doubt} ({} of {} bytes sent, {} confirmed)",
                trace.sent_bytes, trace.total_bytes, trace.confirmed_bytes
            ),
        },
        _ => return None,
    })
}

/// Says on standard error what happens: a moving figure on a terminal, a line a quarter elsewhere.
#[derive(Debug)]
pub struct Teller {
    language: Language,
    on_terminal: bool,
    quarter: usize,
}

impl Teller {
    /// Says it in this language.
    pub fn new(language: Language) -> Self {
        Self {
            language,
            on_terminal: std::io::stderr().is_terminal(),
            quarter: 0,
        }
    }

    fn tell(&mut self, event: &PrinterEvent) {
        match event {
            PrinterEvent::State(state) => self.state(*state),
            PrinterEvent::Finding(finding) => self.finding(*finding),
            PrinterEvent::Progress {
                done_bytes,
                total_bytes,
                ..
            } => self.progress(*done_bytes, *total_bytes),
            _ if event.resend().is_some() && self.on_terminal => note!(""),
            _ => {}
        }
    }

    fn state(&self, state: PrinterState) {
        let words = match state {
            PrinterState::Connecting => ("đang kết nối", "connecting"),
            PrinterState::Ready => ("sẵn sàng", "ready"),
            other => attention(other),
        };
        let label = pick(self.language, "máy in", "printer");
        note!("{label}: {}", pick(self.language, words.0, words.1));
    }

    fn finding(&self, finding: Finding) {
        note!(
            "{}",
            match self.language {
                Language::Vietnamese => finding.vi(),
                Language::English => finding.en(),
            }
        );
    }

    fn progress(&mut self, done: usize, total: usize) {
        let percent = done * 100 / total.max(1);
        let label = pick(self.language, "đang in", "printing");
        if self.on_terminal {
            eprint!("\r{label} {percent:3} % ({done}/{total} bytes)");
            // A figure that is not shown is no reason to stop printing.
            let _ = std::io::stderr().flush();
        } else if percent / 25 > self.quarter {
            self.quarter = percent / 25;
            note!("{label} {percent} % ({done}/{total} bytes)");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hardware::printer::Document;
    use hardware::printer::encode::encode;
    use hardware::printer::sim::{PrinterSim, PtyPrinter, SimConfig, SimControl};

    /// A printer on a pseudo-terminal, quicker than life.
    fn quick(name: &str) -> SimConfig {
        let mut config = SimConfig::new(Profile::named(name).unwrap());
        config.baud = 115_200;
        config.profile.head_mm_per_s = 400;
        config
    }

    struct Desk {
        printer: PtyPrinter,
        config: PrinterConfig,
        bytes: Vec<u8>,
        _folder: tempfile::TempDir,
    }

    impl Desk {
        fn new(sim: SimConfig) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let profile = sim.profile.clone();
            let link = folder.path().join("printer");
            let mut paper = Document::new();
            for line in 0..30 {
                paper.text(format!("Dòng {line} cà phê sữa đá"));
            }
            paper.cut();
            Self {
                bytes: encode(&paper, &profile).unwrap().into_bytes(),
                printer: PrinterSim::run_config_on_pty(&link, None, sim).unwrap(),
                config: PrinterConfig::new(link, profile),
                _folder: folder,
            }
        }

        fn print(&self) -> Outcome {
            let mut teller = Teller::new(Language::English);
            print(self.config.clone(), self.bytes.clone(), &mut teller).unwrap()
        }
    }

    #[test]
    fn a_receipt_is_printed_at_a_speed_found_by_itself_and_a_wrong_one_is_said() {
        // Proves: the real driver on a port that minds its speed prints with proof; told the
        // wrong speed it sends nothing and says what to check.
        let mut sim = quick("xprinter-clone");
        sim.minds_baud = true;
        let mut desk = Desk::new(sim);
        assert_eq!(desk.print(), Outcome::Printed(ProofGrade::Fence));
        desk.config.baud = Some(9_600);
        let outcome = desk.print();
        assert_eq!(outcome.code(), 4, "{outcome:?}");
        assert!(outcome.says(Language::English).contains("speed"));
    }

    #[test]
    fn a_printer_that_is_off_or_not_there_gets_nothing() {
        // Proves: a dead port and a dead printer end with "nothing was sent", not with a wait.
        let desk = Desk::new(quick("xprinter-clone"));
        desk.printer.control(SimControl::PowerOff);
        let mut config = desk.config.clone();
        config.baud = Some(115_200);
        let mut teller = Teller::new(Language::Vietnamese);
        let off = print(config.clone(), desk.bytes.clone(), &mut teller).unwrap();
        assert!(matches!(off, Outcome::NotPrinted { .. }), "{off:?}");
        config.path = desk.config.path.with_file_name("nobody");
        let gone = print(config, desk.bytes.clone(), &mut teller).unwrap();
        assert!(matches!(&gone, Outcome::NotPrinted { reason } if reason.contains("port")));
        assert!(gone.says(Language::Vietnamese).contains("chưa in"));
    }

    #[test]
    fn no_paper_is_said_before_a_byte_leaves() {
        // Proves: preflight through the command; nothing prints later.
        let desk = Desk::new(quick("xprinter-clone"));
        desk.printer.control(SimControl::RemovePaper);
        let outcome = desk.print();
        let said = outcome.says(Language::English);
        assert!(outcome.code() == 4 && said.contains("paper"), "{said}");
    }

    #[test]
    fn a_cable_without_a_return_wire_is_sent_to_and_not_called_printed() {
        // Proves: tx-only ends as sent, calmly, with an exit code of its own.
        let mut desk = Desk::new(quick("tx-only"));
        desk.config.baud = Some(115_200);
        let outcome = desk.print();
        let blind = Outcome::Sent {
            status_clean: false,
        };
        assert_eq!(outcome, blind);
        assert_eq!(outcome.code(), 3);
        let said = outcome.says(Language::English);
        assert!(said.contains("sent") && said.contains("T0"), "{said}");
        assert!(!said.contains("printed"), "{said}");
    }

    #[test]
    fn a_printer_that_dies_in_the_middle_is_in_doubt() {
        // Proves: once bytes left and the printer is gone, the command says unknown (5).
        let mut sim = quick("xprinter-clone");
        // Well behind the start sequence, in the middle of the job.
        sim.faults.power_off_at_byte = Some(3_000);
        let mut desk = Desk::new(sim);
        desk.config.baud = Some(115_200);
        let outcome = desk.print();
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        assert_eq!(outcome.code(), 5);
        assert!(outcome.says(Language::English).contains("marked copy"));
    }

    #[test]
    fn the_test_page_prints_and_the_doctor_finds_nothing_on_a_good_printer() {
        // Proves: --self-test makes a job the driver accepts, with the best proof of an Epson;
        // the doctor then calls the same printer healthy and names it.
        let sim = quick("epson-t88");
        let profile = sim.profile.clone();
        let mut desk = Desk::new(sim);
        desk.bytes = self_test(&profile, SelfTest::Page).into_bytes();
        assert_eq!(
            desk.print(),
            Outcome::Printed(ProofGrade::ProcessIdAndCounter)
        );
        let args = PrinterArgs {
            port: Some(desk.config.path.clone()),
            profile: Some("epson-t88".into()),
            baud: Some(115_200),
            config: PathBuf::new(),
            lang: "vi".into(),
        };
        let (lines, healthy) =
            crate::commands::doctor::printer(&args, Language::Vietnamese).unwrap();
        assert!(healthy, "{lines:?}");
        assert!(
            lines[0].contains("115200") && lines[0].contains("EPSON"),
            "{lines:?}"
        );
    }

    #[test]
    fn the_doctor_names_a_missing_port_a_wrong_speed_and_an_empty_roll() {
        // Proves: each trouble is said in both languages and makes the command fail.
        let mut sim = quick("xprinter-clone");
        sim.minds_baud = true;
        let desk = Desk::new(sim);
        let examine = |port: &Path, language| {
            let args = PrinterArgs {
                port: Some(port.to_owned()),
                profile: None,
                baud: Some(19_200),
                config: PathBuf::new(),
                lang: "en".into(),
            };
            let (lines, healthy) = crate::commands::doctor::printer(&args, language).unwrap();
            assert!(!healthy, "{lines:?}");
            lines.join("\n")
        };
        let path = &desk.config.path;
        let missing = examine(&path.with_file_name("nobody"), Language::English);
        assert!(missing.contains("port is not there"), "{missing}");
        let speed = examine(path, Language::Vietnamese);
        assert!(
            speed.contains("115200") && speed.contains("19200"),
            "{speed}"
        );
        desk.printer.control(SimControl::RemovePaper);
        let paper = examine(path, Language::English);
        assert!(paper.contains("out of paper"), "{paper}");
    }
}
