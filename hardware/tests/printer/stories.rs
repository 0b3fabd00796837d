//! One receipt, one power cut, and a kiosk that follows a rule: what is on paper at the end.

use hardware::printer::driver::{MachineConfig, Timing};
use hardware::printer::sim::{Faults, SimConfig};
use hardware::printer::{Document, PrinterEvent, Profile, Resend, encode};

use super::bench::Bench;

pub const HEAD: &str = "DAU HOA DON 482";
pub const TAIL: &str = "CUOI HOA DON 482";
pub const MARK: &str = "BẢN SAO";
const BETWEEN: [&str; 3] = ["Cà phê sữa đá", "35.000", "64.000"];
/// Jobs a kiosk tries before its story is broken off.
const MOST_JOBS: u32 = 6;

/// What the kiosk makes of a job's end.
pub struct Verdict {
    /// What it does with the receipt.
    pub resend: Resend,
    /// Whether it tells the shopper that the receipt is printed.
    pub says_printed: bool,
}

/// What the kiosk does after a job ended.
pub type Rule = fn(&PrinterEvent) -> Verdict;

fn is_proven(event: &PrinterEvent) -> bool {
    matches!(event, PrinterEvent::JobDone { evidence, .. } if evidence.is_printed())
}

pub fn right_rule(event: &PrinterEvent) -> Verdict {
    Verdict {
        resend: event.resend().unwrap_or(Resend::No),
        says_printed: is_proven(event),
    }
}

/// The rule of tills that print again, as it was, whenever no proof came.
pub fn careless_rule(event: &PrinterEvent) -> Verdict {
    let proven = is_proven(event);
    Verdict {
        resend: if proven { Resend::No } else { Resend::AsIs },
        says_printed: proven,
    }
}

/// The rule of tills that believe that everything sent is printed.
pub fn trusting_rule(event: &PrinterEvent) -> Verdict {
    let sent = event.resend() != Some(Resend::AsIs);
    Verdict {
        resend: if sent { Resend::No } else { Resend::AsIs },
        says_printed: sent,
    }
}

/// What whole stories leave behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub stories: u32,
    /// Jobs after which nothing is to be done.
    pub content: u32,
    /// Jobs that may only be repeated as a marked copy.
    pub doubtful: u32,
    /// Jobs of which not one byte left.
    pub untouched: u32,
    /// Stories at whose end the kiosk says that the receipt is printed.
    pub claimed: u32,
    /// Two or more whole unmarked receipts of one sale.
    pub unmarked_duplicates: u32,
    /// Nobody holds a whole receipt.
    pub losses: u32,
    /// The kiosk says that it is printed, and nobody holds a whole receipt.
    pub silent_losses: u32,
    /// The kiosk still wanted to print when the story was broken off.
    pub endless: u32,
}

/// Where a job lies among the bytes a printer receives, when nothing goes wrong. The driver's
/// questions and fences lie among them too.
pub struct Place {
    /// Before the job.
    pub start: u64,
    /// The last moment the receipt is not whole on paper.
    pub torn: u64,
    /// The first moment it is.
    pub whole: u64,
    /// When the driver knows all it will ever know.
    pub done: u64,
}

impl Place {
    pub fn of(profile: &Profile, document: &Document) -> Self {
        let mut setup = SimConfig::new(profile.clone());
        setup.draws = false;
        setup.baud = 115_200;
        let mut bench = fast_bench(setup);
        bench.run_until(20_000, |bench| bench.machine.state().can_print());
        let start = bench.sim.received_bytes();
        let (mut torn, mut whole) = (start, None);
        let job = bench.print(document, profile);
        while bench.outcome(job).is_none() {
            bench.step();
            let received = bench.sim.received_bytes();
            if !bench.sim.all_text().contains(TAIL) {
                torn = received;
            } else if whole.is_none() {
                whole = Some(received);
            }
        }
        Self {
            start,
            torn,
            whole: whole.unwrap(),
            done: bench.sim.received_bytes(),
        }
    }
}

/// The power goes once at each of these bytes, in a story of its own.
pub fn stories(
    profile: &Profile,
    document: &Document,
    bytes: impl IntoIterator<Item = u64>,
    rule: Rule,
) -> Tally {
    let mut tally = Tally::default();
    for at in bytes {
        tell_story(profile, document, at, rule, &mut tally);
    }
    tally
}

/// Prints one receipt, cuts the power when the printer has received `at` bytes, lets the kiosk
/// do what `rule` says until it is content, and reads the paper.
fn tell_story(profile: &Profile, document: &Document, at: u64, rule: Rule, tally: &mut Tally) {
    let mut setup = SimConfig::new(profile.clone());
    setup.draws = false;
    setup.baud = 115_200;
    setup.boot_ms = 1_500;
    setup.faults = Faults {
        power_off_at_byte: Some(at),
        power_back_after_ms: Some(500),
        ..Faults::default()
    };
    let mut bench = fast_bench(setup);
    bench.run_until(20_000, |bench| bench.machine.state().can_print());
    let mut copies = 0;
    let mut says_printed = false;
    let mut next = Some(encode(document, profile).unwrap().into_bytes());
    for _ in 0..MOST_JOBS {
        let Some(bytes) = next.take() else { break };
        let job = bench.print_bytes(bytes);
        let end = bench.finish(job, 120_000);
        count(&end, tally);
        let verdict = rule(&end);
        says_printed = verdict.says_printed;
        next = match verdict.resend {
            Resend::No => None,
            Resend::AsIs => Some(encode(document, profile).unwrap().into_bytes()),
            Resend::AsMarkedCopy => {
                copies += 1;
                let copy = document.marked_as_copy(copies);
                Some(encode(&copy, profile).unwrap().into_bytes())
            }
        };
        if next.is_some() && !profile.confirms() {
            // Nothing says when such a printer is back; a person tries again after a while.
            bench.run_ms(3_000);
        }
        bench.run_until(20_000, |bench| bench.machine.state().can_print());
    }
    bench.settle();
    tally.stories += 1;
    tally.claimed += u32::from(says_printed);
    tally.endless += u32::from(next.is_some());
    judge(&bench.sim.all_text(), says_printed, tally);
}

/// A bench whose driver knows the speed and whose head is quick, to keep the stories short.
fn fast_bench(mut setup: SimConfig) -> Bench {
    setup.profile.head_mm_per_s = 400;
    let machine_config = MachineConfig {
        handshake: setup.handshake,
        baud: Some(setup.baud),
        timing: Timing::default(),
        unfinished_job: false,
        profile: setup.profile.clone(),
    };
    Bench::with_machine(setup, machine_config)
}

fn count(end: &PrinterEvent, tally: &mut Tally) {
    match end.resend() {
        Some(Resend::AsIs) => tally.untouched += 1,
        Some(Resend::AsMarkedCopy) => tally.doubtful += 1,
        _ => tally.content += 1,
    }
}

/// A receipt is whole when its head, its tail and the marks between them are on the paper.
fn judge(paper: &str, says_printed: bool, tally: &mut Tally) {
    let mut unmarked = 0;
    let mut whole = 0;
    let mut rest = paper;
    while let Some(start) = rest.find(HEAD) {
        let marked = rest[..start]
            .lines()
            .rev()
            .take(2)
            .any(|line| line.contains(MARK));
        let body = &rest[start + HEAD.len()..];
        let end = body.find(HEAD).unwrap_or(body.len());
        if BETWEEN
            .iter()
            .chain([&TAIL])
            .all(|words| body[..end].contains(words))
        {
            whole += 1;
            unmarked += u32::from(!marked);
        }
        rest = body;
    }
    tally.unmarked_duplicates += u32::from(unmarked > 1);
    tally.losses += u32::from(whole == 0);
    tally.silent_losses += u32::from(whole == 0 && says_printed);
}
