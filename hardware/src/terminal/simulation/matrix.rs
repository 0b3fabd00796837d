//! The crash matrix: one fault at every step of every kind of order, against every kind of
//! terminal.

use super::fault::{Fault, Habit};
use super::setup::{Kind, Setup, Vendor};
use super::world::{Want, World};
use super::{Tally, tally};
use crate::terminal::sim::{Scenario, SimOutcome, WhenUnacknowledged};

/// One order with one kind of terminal.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) setup: Setup,
    /// The order looked at is the last one.
    pub(super) plan: &'static [Want],
    /// A fault that is there in every run, from the beginning of the order on.
    pub(super) always: Option<Fault>,
}

impl Cell {
    /// Whether one fault may leave this order to a person: nobody can ask about a day close, or
    /// ask this terminal about anything.
    pub(super) fn may_need_a_person(&self) -> bool {
        !self.setup.kind.is_zvt()
            || self.setup.vendor == Vendor::NoRepeatReceipt
            || self.plan.contains(&Want::DayClose)
    }
}

const SALE: &[Want] = &[Want::Sale(250_000)];
const REVERSAL: &[Want] = &[Want::Sale(250_000), Want::Reversal { of: 0 }];
const REFUND: &[Want] = &[Want::Sale(250_000), Want::Refund(30_000)];
const DAY_CLOSE: &[Want] = &[Want::Sale(250_000), Want::DayClose];

/// What a terminal does with the order looked at.
fn modes() -> Vec<(Scenario, Option<Fault>)> {
    let approve = |delay_ms, when_unacknowledged| Scenario {
        delay_ms,
        when_unacknowledged,
        prompts: vec![0x0A],
        ..Scenario::default()
    };
    let ending = |outcome| Scenario {
        prompts: vec![0x0A],
        ..Scenario::ending(outcome)
    };
    let take_back = approve(0, WhenUnacknowledged::TakeBack);
    let losing = Scenario {
        lose_acknowledgements: 3,
        ..take_back.clone()
    };
    vec![
        (approve(4000, WhenUnacknowledged::TakeBack), None),
        (approve(4000, WhenUnacknowledged::Keep), None),
        (approve(0, WhenUnacknowledged::Keep), None),
        (ending(SimOutcome::DeclineThenComplete(0x6C)), None),
        (ending(SimOutcome::Refuse(0x9C)), None),
        (losing, None),
        // The hold loop 84 9C, and the refusal 84 66.
        (take_back.clone(), Some(Fault::DiskSlow { ms: 9000 })),
        (take_back.clone(), Some(Fault::DiskFull)),
        (take_back, None),
    ]
}

/// Every order of a protocol with every mode, and with every vendor.
pub(super) fn cells(kind: Kind) -> Vec<Cell> {
    let plans: &[&'static [Want]] = if kind.is_zvt() {
        &[SALE, REVERSAL, REFUND, DAY_CLOSE]
    } else {
        &[SALE, REFUND]
    };
    let mut cells = Vec::new();
    for plan in plans {
        for (scenario, always) in modes() {
            cells.push(cell(kind, Vendor::Plain, plan, scenario, always));
        }
        for vendor in Vendor::ALL.into_iter().filter(|_| kind.is_zvt()) {
            for (scenario, always) in modes().into_iter().take(2) {
                cells.push(cell(kind, vendor, plan, scenario, always));
            }
        }
        // A terminal on three wires does not notice that the till is gone.
        if !kind.is_tcp() {
            for (scenario, always) in modes().into_iter().take(2) {
                let mut blind = cell(kind, Vendor::Plain, plan, scenario, always);
                blind.setup.blind = true;
                cells.push(blind);
            }
        }
    }
    cells
}

fn cell(
    kind: Kind,
    vendor: Vendor,
    plan: &'static [Want],
    scenario: Scenario,
    always: Option<Fault>,
) -> Cell {
    let usual = Scenario {
        when_unacknowledged: scenario.when_unacknowledged,
        ..Scenario::default()
    };
    let mut setup = Setup::new(kind, vendor, usual.clone());
    // The orders before the one looked at are without trouble.
    setup.scripted = vec![usual; plan.len() - 1];
    setup.scripted.push(scenario);
    Cell {
        setup,
        plan,
        always,
    }
}

/// The faults a protocol is put to.
pub(super) fn faults_of(kind: Kind) -> Vec<Fault> {
    let mut faults = Fault::DEATHS.to_vec();
    if !kind.is_tcp() {
        faults.push(Fault::Garble);
    }
    faults
}

/// Runs a cell with each fault at every `stride`-th step of its last order, beginning at another
/// one for each fault. `shift` moves them all.
pub(super) fn run_cell(
    cell: &Cell,
    habit: Habit,
    faults: &[Fault],
    stride: usize,
    shift: usize,
) -> Tally {
    let (whole, began) = play(cell, habit, &[], None);
    let mut total = Tally::default();
    let end = usize::try_from(whole.steps).unwrap_or(usize::MAX);
    total.add(whole);
    let stride = stride.max(1);
    for (place, fault) in faults.iter().enumerate() {
        let first = began + (shift + place * 7) % stride;
        for step in (first..end).step_by(stride) {
            let (tally, _) = play(cell, habit, &[(step, *fault)], Some(began));
            total.add(tally);
        }
    }
    total
}

/// One run; also the step at which the last order begins.
fn play(
    cell: &Cell,
    habit: Habit,
    faults: &[(usize, Fault)],
    began: Option<usize>,
) -> (Tally, usize) {
    let mut all = faults.to_vec();
    // What is always there begins with the order, so its step must be known first.
    let began = began.or_else(|| {
        cell.always?;
        let mut world = World::new(&cell.setup, cell.plan, habit);
        world.run(&[]);
        world.began.last().copied().flatten()
    });
    all.extend(
        cell.always
            .map(|fault| (began.unwrap_or(0).saturating_add(1), fault)),
    );
    let mut world = World::new(&cell.setup, cell.plan, habit);
    world.run(&all);
    let place = faults.first().map_or(0, |(step, _)| *step);
    let began = world.began.last().copied().flatten().unwrap_or(0);
    let mut tally = tally(place as u64, &world);
    for (_, found) in &mut tally.violations {
        found.push(format!("{cell:?} {faults:?}"));
    }
    (tally, began)
}

/// The whole matrix at every `stride`-th step, a line for each protocol and order; `stride` 1 is
/// every byte, write, sync and command.
pub fn crash_matrix(stride: usize) -> Vec<(String, Tally)> {
    let mut lines: Vec<(String, Tally)> = Vec::new();
    for kind in Kind::ALL {
        for (shift, cell) in cells(kind).iter().enumerate() {
            let order = match cell.plan.last() {
                Some(Want::Reversal { .. }) => "reversal",
                Some(Want::Refund(_)) => "refund",
                Some(Want::DayClose) => "end of day",
                _ => "sale",
            };
            let name = format!("{kind:?}, {order}");
            let mut tally = run_cell(cell, Habit::Correct, &faults_of(kind), stride, shift);
            if tally.review > 0 && !cell.may_need_a_person() {
                let what = format!("a single fault needs a person: {cell:?}");
                tally.violations.push((0, vec![what]));
            }
            match lines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, total)) => total.add(tally),
                None => lines.push((name, tally)),
            }
        }
    }
    lines
}
