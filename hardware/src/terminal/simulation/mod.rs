//! Seeded simulation of the whole card lane in virtual time: orders one after the other, with
//! everything that can go wrong, compared with the terminal's own ledger.
//!
//! The engine, the simulated terminal and their codecs are the real ones; only the threads and the
//! sockets around them are not there. A seed is a run, on every machine.

mod audit;
mod chance;
mod counter;
mod disk;
mod fault;
mod matrix;
mod setup;
mod strike;
mod world;

#[cfg(test)]
mod tests;

use std::fmt;

use super::sim::{CardData, ELSEWHERE, Scenario, SimOutcome, WhenUnacknowledged};
use chance::Chance;
use disk::Verdict;
use fault::{Fault, Habit};
pub use matrix::crash_matrix;
use setup::{Kind, Setup, Vendor};
use world::{Want, World};

/// What many runs came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Orders written down.
    pub orders: u64,
    /// Faults that hit something.
    pub faults: u64,
    /// Orders recorded as happened.
    pub done: u64,
    /// Orders recorded as not happened.
    pub not_done: u64,
    /// Orders left to a person.
    pub review: u64,
    /// Steps: bytes, writes, syncs, commands, waits.
    pub steps: u64,
    /// Seeds whose journal and ledger disagree, with what is wrong.
    pub violations: Vec<(u64, Vec<String>)>,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.orders += other.orders;
        self.faults += other.faults;
        self.done += other.done;
        self.not_done += other.not_done;
        self.review += other.review;
        self.steps += other.steps;
        self.violations.extend(other.violations);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} runs, {} orders, {} faults, {} steps: {} done, {} not done, {} to a person; \
             {} runs with violations",
            self.runs,
            self.orders,
            self.faults,
            self.steps,
            self.done,
            self.not_done,
            self.review,
            self.violations.len()
        )
    }
}

/// Runs one seed: two sales, a reversal, a refund, a day close and more, in a world made from the
/// seed.
pub fn run_seed(seed: u64) -> Tally {
    run_seed_with(seed, Habit::Correct)
}

/// The test of the test: for each wrong habit of a kiosk, the first of `seeds` that finds it, if
/// any does.
pub fn wrong_habits_found(seeds: std::ops::RangeInclusive<u64>) -> Vec<(String, Option<u64>)> {
    let finds = |habit, seed: &u64| !run_seed_with(*seed, habit).violations.is_empty();
    let found = |habit| seeds.clone().find(|seed| finds(habit, seed));
    Habit::WRONG
        .map(|habit| (format!("{habit:?}"), found(habit)))
        .to_vec()
}

/// One seed told: its world, its faults, what the driver said, the journal and the ledger.
pub fn tell_seed(seed: u64) -> Vec<String> {
    let mut said = Vec::new();
    drop(run_made(seed, Habit::Correct, &mut |world, faults| {
        said.push(format!("{:?}", world.setup));
        said.push(format!("plan {:?}", world.plan));
        said.extend(faults.iter().map(|fault| format!("fault {fault:?}")));
        said.extend(world.events.iter().map(|event| format!("event {event:?}")));
        let entries = world.disk.durable();
        said.extend(entries.iter().map(|entry| format!("journal {entry:?}")));
        let records = world.terminal.ledger().records();
        said.extend(records.iter().map(|record| format!("ledger {record:?}")));
    }));
    said
}

fn run_seed_with(seed: u64, habit: Habit) -> Tally {
    run_made(seed, habit, &mut |_, _| ())
}

/// Looks at a world that has ended, and at the faults it had.
type Look<'a> = dyn FnMut(&World<'_>, &[(usize, Fault)]) + 'a;

fn run_made(seed: u64, habit: Habit, look: &mut Look<'_>) -> Tally {
    let mut chance = Chance::new(seed);
    let kind = chance.pick(&[
        Kind::ZvtTcp,
        Kind::ZvtTcp,
        Kind::ZvtSerial,
        Kind::ZvtSerial,
        Kind::CaisseAp,
        Kind::Concert,
    ]);
    let mut setup = Setup::new(kind, chance.pick(&Vendor::ALL), scenario(&mut chance, true));
    setup.blind = chance.percent(50);
    for _ in 0..chance.below(7) {
        setup.scripted.push(scenario(&mut chance, false));
    }
    let plan = plan(kind, &mut chance);
    let faults = faults(kind, &mut chance);
    let shuffle = Chance::new(chance.next());
    let mut world = World::new(&setup, &plan, habit).shuffled(shuffle);
    world.run(&faults);
    look(&world, &faults);
    tally(seed, &world)
}

fn tally(seed: u64, world: &World<'_>) -> Tally {
    let entries = world.disk.durable();
    let count = |verdict| {
        let some = entries
            .iter()
            .filter(|entry| entry.verdict == Some(verdict));
        some.count() as u64
    };
    let violations = match world.violations.as_slice() {
        [] => Vec::new(),
        found => vec![(seed, found.to_vec())],
    };
    Tally {
        runs: 1,
        orders: entries.len() as u64,
        faults: world.struck as u64,
        done: count(Verdict::Done),
        not_done: count(Verdict::NotDone),
        review: count(Verdict::Review),
        steps: world.steps as u64,
        violations,
    }
}

/// What one order does at the terminal; `usual` ones leave the day a chance to end.
fn scenario(chance: &mut Chance, usual: bool) -> Scenario {
    use SimOutcome as Out;
    let codes = [0x05, 0x6C, 0x9C, 0xF0, 0xB5, 0x33];
    let outcome = match chance.below(if usual { 8 } else { 20 }) {
        0..=7 => Out::Approve,
        8 => Out::Decline(chance.pick(&codes)),
        9 => Out::DeclineThenComplete(0x6C),
        10 => Out::Abort(chance.pick(&codes)),
        11 => Out::Refuse(chance.pick(&codes)),
        12 => Out::ApproveWrongAmount,
        13 => Out::CompleteSilently,
        14 => Out::FallSilent,
        15 => Out::NeverAnswer,
        _ => Out::Approve,
    };
    let prompts = [vec![], vec![0x0A], vec![0x0A, 0x01, 0x0E, 0x04]];
    Scenario {
        outcome,
        delay_ms: chance.pick(&[0, 0, 40, 4000, 6000, 60_000]),
        prompts: chance.pick(&prompts),
        lose_acknowledgements: chance.pick(&[0, 0, 0, 0, 1, 2, 3]),
        when_unacknowledged: chance.pick(&[
            WhenUnacknowledged::TakeBack,
            WhenUnacknowledged::TakeBack,
            WhenUnacknowledged::Keep,
        ]),
        vanish_after_sent_bytes: chance.percent(8).then(|| chance.below(200)),
        card_data: match chance.percent(5) {
            true => CardData::Unmasked,
            false => CardData::Masked,
        },
    }
}

fn plan(kind: Kind, chance: &mut Chance) -> Vec<Want> {
    let step = audit::AMOUNT_STEP;
    let mut amounts = (1..=9).map(|place| place * 1000 * step);
    let mut amount = || amounts.next().unwrap_or(step);
    let mut plan = vec![Want::Sale(amount()), Want::Sale(amount())];
    if kind.is_zvt() {
        plan.push(Want::Reversal {
            of: chance.below(2),
        });
    }
    plan.push(Want::Refund(amount() / 10));
    if kind.is_zvt() {
        plan.push(Want::DayClose);
    }
    if chance.percent(30) {
        plan.push(Want::Sale(amount()));
    }
    plan
}

fn faults(kind: Kind, chance: &mut Chance) -> Vec<(usize, Fault)> {
    let count = chance.below(9);
    (0..count)
        .map(|_| (chance.below(500), fault(kind, chance)))
        .collect()
}

fn fault(kind: Kind, chance: &mut Chance) -> Fault {
    match chance.below(15) {
        0 | 1 => Fault::KioskDies {
            bytes_arrive: chance.percent(50),
            writes_survive: chance.percent(50),
        },
        2 => Fault::LinkCut,
        3 => Fault::TerminalDies,
        // TCP has checksums of its own.
        4 if !kind.is_tcp() => Fault::Garble,
        4 | 5 => Fault::AnswerLost,
        6 => Fault::AnswerLate {
            ms: chance.pick(&[50, 3000, 6000, 20_000, 200_000]),
        },
        7 => Fault::AnswerDoubled,
        // Nothing in a failure of Caisse-AP says whose it is; one connection is one order.
        8 | 9 => Fault::AnswerForeign {
            approved: kind == Kind::CaisseAp || chance.percent(50),
        },
        10 => Fault::OrderLost,
        11 => Fault::Abort,
        12 => Fault::StandAloneSale { minor: 55_500 },
        13 => Fault::DiskFull,
        _ => Fault::DiskSlow {
            ms: chance.pick(&[100, 4000, 30_000]),
        },
    }
}
