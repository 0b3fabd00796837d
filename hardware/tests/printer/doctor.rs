//! The doctor names what is wrong, and the self-test page shows what it should.

use hardware::port::PortError;
use hardware::printer::doctor::{Finding, Probe, Report, examine_with};
use hardware::printer::encode::{SelfTest, self_test};
use hardware::printer::sim::{PrinterSim, Sheet, SimConfig, print_out};
use hardware::printer::{PrinterState, Profile};

/// A probe into a simulated printer, in simulated time.
struct SimProbe {
    sim: PrinterSim,
    baud: u32,
    now_us: u64,
}

impl Probe for SimProbe {
    fn ask(&mut self, baud: u32, bytes: &[u8], _: usize, ms: u64) -> Result<Vec<u8>, PortError> {
        for &byte in bytes {
            self.now_us += 10_000_000 / u64::from(baud);
            let byte = if baud == self.baud { byte } else { 0xFF };
            self.sim.receive(self.now_us, byte);
        }
        for _ in 0..ms {
            self.now_us += 1_000;
            self.sim.advance(self.now_us);
        }
        Ok(self.sim.take_replies(self.now_us))
    }

    fn clear_to_send(&mut self) -> Option<bool> {
        Some(self.sim.is_up())
    }
}

fn examine(setup: SimConfig, meddle: impl Fn(&mut PrinterSim)) -> Report {
    let profile = setup.profile.clone();
    let baud = setup.baud;
    let mut probe = SimProbe {
        sim: PrinterSim::new(setup),
        baud,
        now_us: 0,
    };
    meddle(&mut probe.sim);
    examine_with(&profile, profile.baud, &mut probe)
}

fn setup(name: &str) -> SimConfig {
    SimConfig::new(Profile::named(name).unwrap())
}

#[test]
fn each_trouble_gets_its_own_name() {
    // Proves: speed, wiring, silence, paper, missing features and missing wires are told apart.
    let healthy = examine(setup("xprinter-clone"), |_| {});
    assert_eq!(healthy.findings, [Finding::Healthy]);
    let mut fast = setup("xprinter-clone");
    fast.baud = 115_200;
    let wrong = Finding::WrongBaud {
        configured: 19_200,
        answered: 115_200,
    };
    assert_eq!(examine(fast, |_| {}).findings, [wrong]);
    let mut unwired = setup("xprinter-clone");
    unwired.faults.silent_fences = true;
    assert_eq!(examine(unwired, |_| {}).findings, [Finding::FenceSilent]);
    let off = examine(setup("xprinter-clone"), PrinterSim::power_off);
    assert_eq!(off.findings, [Finding::HeldAlways]);
    let out = examine(setup("xprinter-clone"), PrinterSim::remove_paper);
    assert_eq!(
        out.findings,
        [Finding::NeedsAttention(PrinterState::PaperOut)]
    );
    assert_eq!(examine(setup("tx-only"), |_| {}).findings, [Finding::Blind]);
    let mut cheap = setup("epson-t88");
    cheap.faults.silent_process_ids = true;
    let epson = examine(cheap, |_| {});
    let pages = Finding::CodePage {
        lower: 30,
        upper: 31,
    };
    assert_eq!(epson.findings, [Finding::ProcessIdSilent, pages]);
    assert_eq!(epson.model.as_deref(), Some("EPSON TM-T88V"));
}

#[test]
fn every_finding_speaks_both_languages() {
    // Proves: no finding is without words for the person at the counter.
    let findings = [
        Finding::NoAnswer,
        Finding::Noise,
        Finding::WrongBaud {
            configured: 1,
            answered: 2,
        },
        Finding::FenceSilent,
        Finding::HeldAlways,
        Finding::PortMissing,
        Finding::PortForbidden,
        Finding::PortBusy,
        Finding::PortUnsuitable,
        Finding::ProcessIdSilent,
        Finding::CountersSilent,
        Finding::Blind,
        Finding::CodePage {
            lower: 30,
            upper: 31,
        },
        Finding::NeedsAttention(PrinterState::CoverOpen),
        Finding::Healthy,
    ];
    for finding in findings {
        assert!(
            finding.vi().len() > 15 && !finding.vi().is_ascii(),
            "{finding:?}"
        );
        assert!(
            finding.en().len() > 15 && finding.en().is_ascii(),
            "{finding:?}"
        );
    }
}

/// What a person reads on the page.
fn page(profile: &Profile, extent: SelfTest) -> String {
    let sheets = print_out(profile, &[&self_test(profile, extent)]);
    sheets.iter().map(Sheet::text).collect()
}

#[test]
fn the_self_test_page_shows_which_code_page_is_right() {
    // Proves: on an Epson only line 30 of the page reads as Vietnamese; the page prints whole
    // on every profile.
    for name in Profile::names() {
        let profile = Profile::named(name).unwrap();
        let text = page(&profile, SelfTest::Page);
        assert!(text.contains("[QR ") || text.contains("[raster "), "{name}");
        assert!(text.contains("[BARCODE SELF-TEST]"), "{name}");
        let sample = "điểm chạm cà phê sữa đá";
        let right: Vec<&str> = text.lines().filter(|line| line.contains(sample)).collect();
        match name {
            "epson-t88" => assert_eq!(right, [format!(" 30: {sample}")]),
            _ => assert!(right.is_empty(), "{name} {right:?}"),
        }
    }
}

/// What the short sample reads on page 0, code page 437, which the simulator knows too.
const WRONG: &str = "╒≈╦¼";

#[test]
fn the_long_self_test_page_shows_every_code_page_and_the_right_ones() {
    // Proves: 0 to 255 each once with a sample that fits its line, small letters under 30 and
    // capitals under 31 on an Epson and nowhere else, and the short page stays short.
    for name in Profile::names() {
        let profile = Profile::named(name).unwrap();
        let text = page(&profile, SelfTest::AllPages);
        let samples: Vec<&str> = text
            .lines()
            .filter(|line| line.contains('▒'))
            .inspect(|line| assert!(line.chars().count() <= profile.columns, "{name}: {line}"))
            .flat_map(str::split_whitespace)
            .collect();
        let numbers = samples
            .chunks(2)
            .map(|pair| pair[0].parse::<u32>().unwrap());
        assert!(numbers.eq(0..=255_u32), "{name}: {samples:?}");
        let right: Vec<&[&str]> = samples
            .chunks(2)
            .filter(|pair| !pair[1].contains('▒'))
            .collect();
        match name {
            "epson-t88" => {
                let vietnamese = [["0", WRONG], ["30", "ếữậơ"], ["31", "ẾỮẬƠ"]];
                assert_eq!(right, vietnamese);
            }
            _ => assert_eq!(right, [["0", WRONG]], "{name}"),
        }
        let lines = text.lines().count();
        let short = page(&profile, SelfTest::Page).lines().count();
        assert!(
            lines > short + 30 && lines < short + 90,
            "{name}: {short} {lines}"
        );
        assert!(short < 45, "{name}: {short}");
    }
}
