//! What is fuzzed. A target panics when it finds something.

#[path = "../../printer/bench.rs"]
#[allow(dead_code)]
mod bench;
pub mod bytes;
mod terminal;

use std::collections::BTreeMap;

use bench::Bench;
use bytes::Choices;
use hardware::printer::driver::plan::JobPlan;
use hardware::printer::driver::{MachineConfig, Timing};
use hardware::printer::profile::TextPlan;
use hardware::printer::protocol::receive::{Answer, Receiver};
use hardware::printer::sim::{Faults, SimConfig, print_out};
use hardware::printer::{
    Bitmap, Block, Cell, Document, Evidence, JobId, PrinterEvent, Profile, Size, Style, encode,
};

/// Runs one input.
pub type Target = fn(&[u8]);

/// Name and target, as the folders of the corpus are called.
pub const TARGETS: [(&str, Target); 7] = [
    ("encoder", encoder),
    ("receiver", receiver),
    ("driver", driver),
    ("zvt-serial", terminal::zvt_serial),
    ("zvt-apdu", terminal::zvt_apdu),
    ("caisse-ap", terminal::caisse_ap),
    ("concert", terminal::concert),
];

fn profile(choices: &mut Choices<'_>) -> Profile {
    let names: Vec<&str> = Profile::names().collect();
    Profile::named(names[choices.below(names.len())]).unwrap()
}

fn style(choices: &mut Choices<'_>) -> Style {
    let mut style = Style::PLAIN;
    let byte = choices.byte();
    style.bold = byte & 1 != 0;
    if byte & 2 != 0 {
        style = style.center();
    }
    style.size = [Size::Normal, Size::Tall, Size::Wide, Size::Large][usize::from(byte >> 2 & 3)];
    style
}

fn block(choices: &mut Choices<'_>, document: &mut Document) {
    match choices.byte() % 10 {
        0..=2 => drop(document.styled(choices.words(), style(choices))),
        3 | 4 => drop(document.styled_pair(choices.words(), choices.words(), style(choices))),
        5 => {
            let cells = vec![
                Cell::fill(choices.words()),
                Cell::number(choices.words(), choices.below(70)),
                Cell::fill(choices.words()),
            ];
            document.columns(cells);
        }
        6 => drop(document.rule().blank()),
        7 => drop(document.qr(choices.words())),
        8 => drop(document.barcode(choices.words())),
        _ => {
            let width = choices.below(700) + 1;
            // Runs of the bytes that make real-time sequences are what pictures fear.
            let rows: Vec<u8> = choices
                .take(600)
                .iter()
                .map(|byte| {
                    if byte & 1 == 0 {
                        [0x10, 4, 5, 0x14][usize::from(byte >> 1 & 3)]
                    } else {
                        *byte
                    }
                })
                .collect();
            let picture = Bitmap::from_rows(width, rows);
            document.push(if width.is_multiple_of(2) {
                Block::Image(picture)
            } else {
                Block::Logo(picture)
            });
        }
    }
}

/// Any document on any printer: a sound job with the same bytes every time, as many cuts as the
/// document has, and paper that the simulator can make of it.
pub fn encoder(input: &[u8]) {
    let mut choices = Choices::new(input);
    let mut profile = profile(&mut choices);
    profile.text = match choices.byte() % 5 {
        0 => TextPlan::SoftFont,
        1 => TextPlan::Raster,
        2 => TextPlan::InlineGlyph,
        _ => profile.text,
    };
    let mut document = Document::new();
    let mut blocks = 0;
    while !choices.is_empty() && blocks < 24 {
        block(&mut choices, &mut document);
        blocks += 1;
    }
    document.cut();
    let Ok(job) = encode(&document, &profile) else {
        return;
    };
    assert_eq!(encode(&document, &profile).unwrap(), job);
    let plan = JobPlan::read(job.bytes().to_vec(), &profile).unwrap();
    let blade = profile.cut != hardware::printer::profile::CutPlan::TearOff;
    assert_eq!(plan.cuts, u32::from(blade));
    let sheets = print_out(&profile, &[&job]);
    assert!(sheets.len() <= 1, "{} sheets", sheets.len());
    // A mark of a letter the printer was not taught, or of bytes taken for hanzi.
    let wrong = sheets.iter().any(|sheet| sheet.text().contains(['▒', '▓']));
    assert!(!wrong, "{}", sheets[0].text());
}

/// Answers, flow control and noise in any order: every answer is read, and nothing else.
pub fn receiver(input: &[u8]) {
    let mut choices = Choices::new(input);
    let mut receiver = Receiver::new();
    while !choices.is_empty() {
        if choices.byte().is_multiple_of(4) {
            let noise = choices.take(200);
            let answers = noise.iter().filter_map(|&byte| receiver.push(byte)).count();
            assert!(answers <= noise.len());
            receiver.abandon();
            assert!(!receiver.is_mid_answer());
            continue;
        }
        let noise_before = receiver.noise_bytes();
        let (mut bytes, wanted) = answer(&mut choices);
        let flow = choices.byte() % 4;
        let at = choices.below(bytes.len() + 1);
        if flow < 2 {
            bytes.insert(at, if flow == 0 { 0x11 } else { 0x13 });
        }
        let mut heard: Vec<Answer> = bytes
            .iter()
            .filter_map(|&byte| receiver.push(byte))
            .collect();
        heard.retain(|answer| !matches!(answer, Answer::GoOn | Answer::Hold));
        assert_eq!(heard, [wanted], "{bytes:02X?}");
        assert_eq!(receiver.noise_bytes(), noise_before);
    }
}

fn answer(choices: &mut Choices<'_>) -> (Vec<u8>, Answer) {
    let kind = choices.byte() % 6;
    let mut masked = |mask: u8| choices.byte() & mask;
    match kind {
        0 => {
            let byte = masked(0x6C) | 0x12;
            (vec![byte], Answer::RealTime(byte))
        }
        1 => {
            let bytes = [
                masked(0x6C) | 0x10,
                masked(0x6C),
                masked(0x6C),
                masked(0x6C),
            ];
            (bytes.to_vec(), Answer::Automatic(bytes))
        }
        2 => {
            let byte = masked(0x0F);
            (vec![byte], Answer::InOrder(byte))
        }
        3 => {
            let id = [0; 4].map(|_: u8| 0x20 + masked(0x3F));
            let [a, b, c, d] = id;
            (vec![0x37, 0x22, a, b, c, d, 0], Answer::ProcessId(id))
        }
        4 => {
            let length = usize::from(masked(0x1F));
            let text: String = (0..length)
                .map(|_| char::from(b'0' + masked(0x0F)))
                .collect();
            let mut bytes = vec![0x5F];
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
            (bytes, Answer::Info(text))
        }
        _ => (vec![0x37, 0x25, 0], Answer::Cleared),
    }
}

/// Words at the head and the tail of a job's receipt.
fn marks(number: u128) -> (String, String) {
    (format!("DAU {number:04}"), format!("CUOI {number:04}"))
}

fn receipt(number: u128, lines: usize) -> Document {
    let (head, tail) = marks(number);
    let mut document = Document::new();
    document.text(head);
    for line in 0..lines {
        document.pair(format!("Dòng {line} cà phê sữa đá"), "29.000");
    }
    document.text(tail).cut();
    document
}

/// A printer, a driver and a bad day: whatever happens, every job ends exactly once, what is
/// called printed is on paper, what never left is not, nothing comes out twice, and the driver
/// comes back once the printer is well again.
pub fn driver(input: &[u8]) {
    let mut choices = Choices::new(input);
    let profile = profile(&mut choices);
    let mut day = Day::new(&profile, &mut choices);
    let mut events = 0;
    while !choices.is_empty() && events < 24 {
        day.happen(&mut choices);
        events += 1;
    }
    day.heal();
    day.judge();
}

struct Day {
    bench: Bench,
    profile: Profile,
    jobs: Vec<JobId>,
    /// Power went: what the printer held is lost without a trace.
    blind: bool,
}

impl Day {
    fn new(profile: &Profile, choices: &mut Choices<'_>) -> Self {
        let mut setup = SimConfig::new(profile.clone());
        setup.draws = false;
        setup.baud = 115_200;
        setup.boot_ms = 1_500;
        setup.profile.head_mm_per_s = 400;
        let faults = choices.byte();
        setup.faults = Faults {
            jam_at_cut: (faults & 1 != 0).then_some(1),
            silent_fences: faults & 6 == 6,
            silent_process_ids: faults & 8 != 0,
            forgets_on_cover: faults & 16 != 0,
            power_off_at_byte: (faults & 96 == 96).then(|| choices.below(6_000) as u64),
            power_back_after_ms: Some(500),
            ..Faults::default()
        };
        let machine = MachineConfig {
            handshake: setup.handshake,
            baud: Some(setup.baud),
            timing: Timing {
                // The shopper of a fuzzer does not wait two minutes.
                blocked_ms: 20_000,
                ..Timing::default()
            },
            unfinished_job: choices.byte() & 1 != 0,
            profile: setup.profile.clone(),
        };
        Self {
            blind: !profile.answers.real_time_status,
            bench: Bench::with_machine(setup, machine),
            profile: profile.clone(),
            jobs: Vec::new(),
        }
    }

    fn happen(&mut self, choices: &mut Choices<'_>) {
        let bench = &mut self.bench;
        match choices.byte() % 16 {
            0..=3 if self.jobs.len() < 4 => {
                let number = self.jobs.len() as u128 + 1;
                let document = receipt(number, choices.below(60));
                let job = bench.print(&document, &self.profile);
                assert_eq!(job, JobId(number));
                self.jobs.push(job);
            }
            4 => bench.sim.remove_paper(),
            5 => bench.sim.load_paper(choices.below(3_000) as u32 + 100),
            6 => bench.sim.set_cover_open(true),
            7 => bench.sim.set_cover_open(false),
            8 => bench.sim.power_off(),
            9 => bench.sim.power_on(),
            10 => bench.unplug(),
            11 => bench.plugged = true,
            12 => bench.disk_works = !bench.disk_works,
            13 => {
                if let Some(&job) = self.jobs.last() {
                    bench.cancel(job);
                }
            }
            14 => bench.open_drawer(),
            _ => {}
        }
        let pause_ms = choices.below(3_000) as u64;
        self.bench.run_ms(pause_ms);
    }

    /// Everything a person can put right is put right.
    fn heal(&mut self) {
        let bench = &mut self.bench;
        bench.plugged = true;
        bench.disk_works = true;
        bench.sim.power_on();
        bench.sim.set_cover_open(true);
        bench.sim.set_cover_open(false);
        bench.sim.free_cutter();
        bench.sim.load_paper(80_000);
        let jobs = self.jobs.clone();
        let ended = |bench: &Bench| jobs.iter().all(|job| bench.outcome(*job).is_some());
        assert!(bench.run_until(600_000, ended), "{:#?}", bench.events);
        let well = |bench: &Bench| bench.machine.state().can_print();
        // The blade may stick only now, at the cut that closes off torn paper. Some models only
        // forget that without power.
        for _ in 0..2 {
            bench.run_until(60_000, |bench| bench.sim.is_jammed() || well(bench));
            bench.run_until(10_000, |bench| bench.sim.is_jammed());
            if bench.sim.is_jammed() {
                bench.sim.power_off();
                bench.sim.power_on();
            }
        }
        assert!(bench.run_until(60_000, well), "{:#?}", bench.events);
        if self.blind {
            // Power lost unseen leaves half a command in it, and nobody to end it.
            bench.run_until(60_000, |bench| bench.sim.is_idle());
        } else {
            bench.settle();
        }
    }

    fn judge(&self) {
        let paper = self.bench.sim.all_text();
        for job in &self.jobs {
            let ends = self
                .bench
                .events
                .iter()
                .filter(|event| ended(event) == Some(*job));
            assert_eq!(ends.count(), 1, "{:#?}", self.bench.events);
            let (head, tail) = marks(job.0);
            let (heads, tails) = (paper.matches(&head).count(), paper.matches(&tail).count());
            let end = self.bench.outcome(*job).unwrap();
            assert!(heads <= 1 && tails <= 1, "{end:?}\n{paper}");
            match end {
                PrinterEvent::JobDone {
                    evidence: Evidence::Printed(_),
                    ..
                } => assert_eq!((heads, tails), (1, 1), "{end:?}\n{paper}"),
                PrinterEvent::JobFailed {
                    nothing_sent: true, ..
                } => assert_eq!((heads, tails), (0, 0), "{end:?}\n{paper}"),
                _ => assert!(self.blind || end.resend().is_some()),
            }
        }
        let started: BTreeMap<JobId, usize> =
            self.bench
                .recorded
                .iter()
                .fold(BTreeMap::new(), |mut counts, job| {
                    *counts.entry(*job).or_default() += 1;
                    counts
                });
        assert!(started.values().all(|&count| count == 1), "{started:?}");
    }
}

fn ended(event: &PrinterEvent) -> Option<JobId> {
    match event {
        PrinterEvent::JobDone { job, .. }
        | PrinterEvent::JobFailed { job, .. }
        | PrinterEvent::JobUnknown { job, .. } => Some(*job),
        _ => None,
    }
}
