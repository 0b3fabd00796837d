#![allow(clippy::unwrap_used)]
use super::desk::Sent;
use super::*;
use clap::Parser;
use hardware::terminal::sim::{
    CaisseApModel, ConcertModel, Ledger, RecordKind, Scenario, SimOutcome, SimPlace,
    WhenUnacknowledged, ZvtModelConfig,
};
use hardware::terminal::{Currency, TerminalSim, Timeouts};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const VND: Currency = Currency::VND;

/// A journal in a folder of its own and a terminal.
pub(super) struct Rig {
    folder: TempDir,
    sim: TerminalSim,
    protocol: Protocol,
    completion_ms: u64,
}

impl Rig {
    pub(super) fn new(sim: TerminalSim, protocol: Protocol) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            sim,
            protocol,
            completion_ms: Timeouts::default().completion_ms,
        }
    }

    fn zvt(config: ZvtModelConfig) -> Self {
        Self::new(TerminalSim::zvt_tcp(config).unwrap(), Protocol::Zvt)
    }

    pub(super) fn journal_path(&self) -> PathBuf {
        self.folder.path().join("terminal.ndjson")
    }

    fn journal(&self) -> FileJournal {
        FileJournal::open(&self.journal_path()).unwrap()
    }

    pub(super) fn place(&self) -> Place {
        let mut config = TerminalConfig::zvt(self.sim.connection(), "VND");
        config.protocol = self.protocol;
        config.timeouts = Timeouts {
            reconnect_ms: 1,
            poll_ms: 10,
            recover_ms: 20_000,
            completion_ms: self.completion_ms,
            ..Timeouts::default()
        };
        Place {
            config,
            name: "counter".into(),
            connect: CONNECT,
            ask_at_once: false,
        }
    }

    /// One run of the program: opens the journal, orders, and ends.
    fn order(&self, wanted: Wanted) -> (Ending, String) {
        let mut journal = self.journal();
        let mut said = Vec::new();
        let mut say = |line| said.push(line);
        let mut desk = Desk::new(self.place(), &mut journal, Language::English, &mut say);
        let ending = desk.order(wanted).unwrap();
        (ending, said.join("\n"))
    }

    fn pay(&self, minor: u64) -> (Ending, String) {
        self.order(Wanted::Pay(Amount::new(minor, VND)))
    }

    fn verdicts(&self) -> Vec<Option<Verdict>> {
        let journal = self.journal();
        journal.entries().iter().map(|e| e.verdict).collect()
    }
}

/// The command line, and what it says.
fn command(words: &[&str]) -> (Result<Ending>, String) {
    #[derive(Parser)]
    struct Words {
        #[command(subcommand)]
        order: Order,
    }
    let words = Words::try_parse_from([&["terminal"], words].concat()).unwrap();
    let mut said = Vec::new();
    let ending = execute(&words.order, &mut |line| said.push(line));
    (ending, said.join("\n"))
}

#[test]
fn an_approved_payment_is_charged_once_and_proven_line_by_line() {
    // Proves: baseline, the row before sending, the approval on disk before it is acknowledged,
    // the amount in đồng, exit code 0, and one charge in the terminal's own ledger.
    let rig = Rig::zvt(ZvtModelConfig::default());
    let (ending, said) = rig.pay(250_000);
    assert_eq!((ending, ending.code()), (Ending::Done, 0), "{said}");
    let mut rest = said.as_str();
    for step in [
        "terminal 52523535 connected",
        "Last transaction of the terminal",
        "On disk, sending: payment",
        "Insert or tap your card",
        "The terminal approves, on disk: terminal 52523535, receipt 0001",
        "APPROVED: payment 250,000 VND",
    ] {
        let place = rest.find(step).unwrap_or_else(|| panic!("{step}: {said}"));
        rest = &rest[place..];
    }
    let charged = rig.sim.charged();
    assert_eq!((charged.len(), charged[0].amount_minor), (1, 250_000));
    assert_eq!(rig.verdicts(), [Some(Verdict::Happened)]);
    assert!(rig.journal().entries()[0].approval.is_some());
}

#[test]
fn a_decline_is_a_decline_even_when_the_terminal_completes() {
    // Proves: exit code 3, no charge, and the trap of a completion behind a decline.
    let rig = Rig::zvt(ZvtModelConfig::default());
    for outcome in [
        SimOutcome::Decline(5),
        SimOutcome::DeclineThenComplete(0x6C),
    ] {
        rig.sim.script(Scenario::ending(outcome));
        let (ending, said) = rig.pay(1_000);
        assert_eq!(ending.code(), 3, "{said}");
        assert!(said.contains("DECLINED"), "{said}");
    }
    assert!(rig.sim.charged().is_empty());
    assert_eq!(rig.verdicts(), [Some(Verdict::DidNotHappen); 2]);
}

#[test]
fn a_silent_terminal_leaves_doubt_and_the_next_run_asks_before_it_pays() {
    // Proves: exit code 5 without an answer, the attempt stays open on disk, the next run settles
    // it first, and only then orders: two orders, one charge.
    let rig = Rig::zvt(ZvtModelConfig::default());
    rig.sim.script(Scenario::ending(SimOutcome::NeverAnswer));
    let (ending, said) = rig.pay(90_000);
    assert_eq!(ending.code(), 5, "{said}");
    assert!(said.contains("do not pay again"), "{said}");
    assert_eq!(rig.verdicts(), [None]);
    let (ending, said) = rig.pay(90_000);
    assert_eq!(ending, Ending::Done, "{said}");
    let asked = said.find("An earlier run did not finish").unwrap();
    let settled = said.find("DID NOT HAPPEN").unwrap();
    let sent = said.find("On disk, sending").unwrap();
    assert!(asked < settled && settled < sent, "{said}");
    assert_eq!((rig.sim.charged().len(), rig.sim.orders_received()), (1, 2));
}

/// Sends a payment and lets the program die with `die`.
fn killed(rig: &Rig, die: impl FnOnce(&mut FileJournal, Sent)) {
    let mut journal = rig.journal();
    let mut say = |_| ();
    let mut desk = Desk::new(rig.place(), &mut journal, Language::English, &mut say);
    let sent = desk.send(Wanted::Pay(Amount::new(70_000, VND))).unwrap();
    // Killed earlier the order may never have left.
    let give_up = Instant::now() + Duration::from_secs(20);
    while rig.sim.orders_received() == 0 {
        assert!(Instant::now() < give_up, "the order never arrived");
        std::thread::yield_now();
    }
    die(&mut journal, sent.unwrap());
}

#[test]
fn a_run_killed_before_the_approval_is_asked_about_and_not_charged_twice() {
    // Proves: with the order out and nothing known, the next run finds out and pays once.
    let rig = Rig::zvt(ZvtModelConfig::default());
    rig.sim.script(Scenario {
        delay_ms: 500,
        ..Scenario::default()
    });
    killed(&rig, |_, sent| drop(sent));
    assert_eq!(rig.verdicts(), [None]);
    let (ending, said) = rig.pay(70_000);
    assert_eq!(ending, Ending::Done, "{said}");
    assert_eq!(rig.sim.charged().len(), 1);
    let settled = [Some(Verdict::DidNotHappen), Some(Verdict::Happened)];
    assert_eq!(rig.verdicts(), settled);
}

#[test]
fn a_run_killed_between_storing_and_acknowledging_is_what_the_terminal_made_of_it() {
    // Proves both legal behaviours: kept means charged, exit code 6 and no new order; taken back
    // means not charged, and the new order goes out.
    for (keeps, code, orders) in [
        (WhenUnacknowledged::Keep, 6, 1),
        (WhenUnacknowledged::TakeBack, 0, 2),
    ] {
        let rig = Rig::zvt(ZvtModelConfig::default());
        rig.sim.script(Scenario {
            when_unacknowledged: keeps,
            ..Scenario::default()
        });
        killed(&rig, |journal, sent| {
            let approval = sent.approval().unwrap();
            journal.approved(&approval).unwrap();
        });
        let (ending, said) = rig.pay(70_000);
        assert_eq!(ending.code(), code, "{keeps:?}: {said}");
        assert_eq!(rig.sim.orders_received(), orders, "{keeps:?}: {said}");
        assert_eq!(rig.sim.charged().len(), 1, "{keeps:?}: {said}");
        assert_eq!(said.contains("NOT sent"), code == 6, "{said}");
        assert!(rig.journal().open_entry().is_none());
    }
}

#[test]
fn an_approval_that_cannot_be_written_is_refused_and_nothing_is_charged() {
    // Proves: a dead disk after the order means that the money goes back, and doubt, not success.
    let rig = Rig::zvt(ZvtModelConfig::default());
    let mut journal = rig.journal();
    let mut said = Vec::new();
    let mut say = |line| said.push(line);
    let mut desk = Desk::new(rig.place(), &mut journal, Language::English, &mut say);
    let sent = desk.send(Wanted::Pay(Amount::new(5_000, VND))).unwrap();
    desk.journal.fail();
    let ending = desk.finish(sent.unwrap()).unwrap();
    assert_eq!(ending, Ending::Unknown, "{said:?}");
    assert!(rig.sim.charged().is_empty());
    drop(journal);
    assert_eq!(rig.verdicts(), [None]);
}

#[test]
fn a_busy_or_sick_terminal_begins_nothing() {
    // Proves: exit code 4 when the order is refused, and no order at all when it says so before.
    let rig = Rig::zvt(ZvtModelConfig::default());
    rig.sim.script(Scenario::ending(SimOutcome::Refuse(0x9C)));
    let (ending, said) = rig.pay(1_000);
    assert_eq!(ending.code(), 4, "{said}");
    assert!(
        said.contains("NOT STARTED") && said.contains("busy"),
        "{said}"
    );
    assert_eq!(rig.verdicts(), [Some(Verdict::DidNotHappen)]);
    let busy = Rig::zvt(ZvtModelConfig {
        idle_status: 0x9C,
        ..ZvtModelConfig::default()
    });
    let (ending, said) = busy.pay(1_000);
    assert_eq!(ending.code(), 4, "{said}");
    assert_eq!(busy.sim.orders_received(), 0);
    assert!(busy.verdicts().is_empty());
}

#[test]
fn an_amount_that_does_not_fit_is_refused_before_anything_is_sent() {
    // Proves: 8 digits of Concert, 12 of ZVT and zero are refused without a connection or a row.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.ndjson");
    let journal = path.display().to_string();
    for (protocol, amount, digits) in [
        ("concert", "100000000", "8 digits"),
        ("zvt", "1000000000000", "12 digits"),
        ("zvt", "0", "zero"),
    ] {
        let (ending, said) = command(&[
            "pay",
            "--protocol",
            protocol,
            "--port",
            "/nowhere",
            "--amount",
            amount,
            "--journal",
            &journal,
        ]);
        assert_eq!(ending.unwrap(), Ending::NotStarted, "{said}");
        assert!(said.contains(digits) && !said.contains("nowhere"), "{said}");
    }
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn the_command_line_pays_reverses_refunds_closes_the_day_and_says_so_in_both_languages() {
    // Proves: every order through its words, against one terminal; the day's total agrees with
    // the journal of these orders; the status is ready.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    let Connection::Tcp { host, port } = sim.connection() else {
        panic!("a TCP simulator")
    };
    let address = format!("{host}:{port}");
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j.ndjson").display().to_string();
    let run = |words: &[&str]| {
        let more = ["--tcp", &address, "--journal", &journal];
        let (ending, said) = command(&[words, &more].concat());
        assert_eq!(ending.unwrap().code(), 0, "{said}");
        said
    };
    assert!(run(&["status"]).contains("ready"));
    let said = run(&["pay", "--amount", "250000", "--lang", "vi"]);
    assert!(
        said.contains("ĐÃ CHUẨN CHI: thanh toán 250.000 VND"),
        "{said}"
    );
    run(&["pay", "--amount", "30000"]);
    let receipt = sim.records()[0].receipt.to_string();
    run(&["reverse", "--receipt", &receipt, "--amount", "250000"]);
    assert_eq!(sim.charged().len(), 1);
    run(&["refund", "--amount", "10000"]);
    assert_eq!(sim.records()[3].kind, RecordKind::Refund);
    let said = run(&["eod"]);
    assert!(said.contains("closed its day"), "{said}");
    assert!(run(&["recover"]).contains("Nothing is in doubt"));
}

#[test]
fn a_terminal_that_cannot_be_asked_needs_a_person() {
    // Proves: with Caisse-AP doubt stays doubt over runs, no second order leaves meanwhile, and
    // only a person's word for the right attempt opens the way.
    let model = CaisseApModel::new(Ledger::in_memory());
    let sim = TerminalSim::start(model, &SimPlace::Tcp(0)).unwrap();
    let mut rig = Rig::new(sim, Protocol::CaisseAp);
    rig.completion_ms = 300;
    rig.sim.script(Scenario::ending(SimOutcome::FallSilent));
    let (ending, said) = rig.pay(45_000);
    assert_eq!(ending.code(), 5, "{said}");
    rig.completion_ms = Timeouts::default().completion_ms;
    let (ending, said) = rig.pay(45_000);
    assert_eq!(ending.code(), 5, "{said}");
    assert!(said.contains("kiosk terminal decide"), "{said}");
    assert_eq!(rig.sim.orders_received(), 1);
    let path = rig.journal_path().display().to_string();
    let decide = |attempt: &str| {
        command(&[
            "decide",
            "--attempt",
            attempt,
            "--did-not-happen",
            "--journal",
            &path,
        ])
    };
    let (refused, _) = decide("0190a1b2-0000-7000-8000-000000000001");
    assert!(refused.unwrap_err().to_string().contains("is not in doubt"));
    let open = rig.journal().open_entry().unwrap().ordered.attempt;
    decide(&open.to_string()).0.unwrap();
    let (ending, said) = rig.pay(45_000);
    assert_eq!(ending, Ending::Done, "{said}");
    assert_eq!(rig.sim.charged().len(), 1);
}

#[test]
fn concert_over_a_serial_line_pays_and_refuses_what_it_cannot_do() {
    // Proves: the third protocol, on a pseudo-terminal; a reversal is refused before it is sent.
    let folder = tempfile::tempdir().unwrap();
    let place = SimPlace::Pty(folder.path().join("tty"));
    let sim = TerminalSim::start(ConcertModel::new(Ledger::in_memory()), &place).unwrap();
    let rig = Rig::new(sim, Protocol::Concert);
    let (ending, said) = rig.pay(99_999_999);
    assert_eq!(ending, Ending::Done, "{said}");
    let (ending, said) = rig.order(Wanted::Reverse(1, Amount::new(5, VND)));
    assert_eq!(ending, Ending::NotStarted, "{said}");
    assert_eq!(rig.sim.charged().len(), 1);
    assert_eq!(rig.journal().entries().len(), 1);
}

#[test]
fn doubt_at_one_terminal_is_not_asked_at_another() {
    // Proves: a journal with an open order at another place orders nothing and says where to go.
    let rig = Rig::zvt(ZvtModelConfig::default());
    rig.sim.script(Scenario {
        delay_ms: 3_600_000,
        ..Scenario::default()
    });
    killed(&rig, |_, sent| drop(sent));
    let mut journal = rig.journal();
    let mut place = rig.place();
    place.name = "another".into();
    let mut said = Vec::new();
    let mut say = |line| said.push(line);
    let mut desk = Desk::new(place, &mut journal, Language::Vietnamese, &mut say);
    let ending = desk.order(Wanted::Pay(Amount::new(1, VND))).unwrap();
    assert_eq!(ending, Ending::Unknown);
    assert!(
        said.join("\n").contains("máy thẻ khác (counter)"),
        "{said:?}"
    );
    assert_eq!(rig.sim.orders_received(), 1);
}

#[test]
fn a_torn_last_line_is_cut_and_any_other_damage_stops_the_command() {
    // Proves: a journal cut anywhere opens with what was whole; damage before the end, a
    // foreign file and a second process are refused and left as they are.
    let rig = Rig::zvt(ZvtModelConfig::default());
    rig.pay(1_000);
    let path = rig.journal_path();
    let whole = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    assert_eq!(ends.len(), 4, "header, armed, approved, closed");
    // Around every line's end, and often enough between.
    let near =
        |length: &usize| length.is_multiple_of(11) || ends.iter().any(|e| e.abs_diff(*length) < 3);
    for length in (0..=whole.len()).filter(near) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let journal = FileJournal::open(&path).unwrap();
        let lines = ends.iter().filter(|end| **end < length).count();
        assert_eq!(journal.entries().len(), usize::from(lines >= 2), "{length}");
        let open = journal.open_entry().is_some();
        assert_eq!(open, lines == 2 || lines == 3, "{length}");
        drop(journal);
        let left = std::fs::metadata(&path).unwrap().len();
        let kept = ends[lines.max(1) - 1] as u64 + 1;
        assert_eq!(left, kept, "{length}");
    }
    let mut damaged = whole.clone();
    damaged[ends[0] + 5] = b'#';
    std::fs::write(&path, &damaged).unwrap();
    let error = FileJournal::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("damaged"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), damaged);
    for foreign in ["shopping list\n", "shopping list"] {
        std::fs::write(&path, foreign).unwrap();
        let error = FileJournal::open(&path).unwrap_err().to_string();
        assert!(error.contains("not a journal"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), foreign);
    }
    std::fs::write(&path, &whole).unwrap();
    let first = FileJournal::open(&path).unwrap();
    let error = FileJournal::open(&path).unwrap_err().to_string();
    assert!(error.contains("another kiosk terminal command"), "{error}");
    drop(first);
}

#[test]
fn the_usual_journal_is_below_the_state_directory() {
    // Proves: absolute XDG_STATE_HOME first, then HOME, and an error that names the option.
    let place = |state: Option<&str>, home: Option<&str>| {
        usual_journal(|name| match name {
            "XDG_STATE_HOME" => state.map(PathBuf::from),
            _ => home.map(PathBuf::from),
        })
    };
    let state = place(Some("/s"), Some("/h")).unwrap();
    assert_eq!(state, PathBuf::from("/s/kiosk/terminal.ndjson"));
    let home = place(Some("relative"), Some("/h")).unwrap();
    assert_eq!(home, PathBuf::from("/h/.local/state/kiosk/terminal.ndjson"));
    let none = place(None, None).unwrap_err().to_string();
    assert!(none.contains("--journal"), "{none}");
}

#[test]
fn the_doctor_names_port_address_password_and_settings_in_both_languages() {
    // Proves: `kiosk doctor terminal` is healthy with a good terminal, and says each trouble in
    // plain words and fails; nothing is ordered.
    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        place: PlaceArgs,
    }
    let look = |words: &[&str], language| {
        let words = Words::try_parse_from([&["doctor"], words].concat()).unwrap();
        let (lines, healthy) = examine(&words.place, language).unwrap();
        (lines.join("\n"), healthy)
    };
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig {
        password: [0x12, 0x34, 0x56],
        ..ZvtModelConfig::default()
    })
    .unwrap();
    let Connection::Tcp { host, port } = sim.connection() else {
        panic!("a TCP simulator")
    };
    let address = format!("{host}:{port}");
    let (said, healthy) = look(
        &["--tcp", &address, "--password", "123456"],
        Language::English,
    );
    assert!(healthy && said.contains("52523535 connected"), "{said}");
    let (said, healthy) = look(&["--tcp", &address], Language::Vietnamese);
    assert!(!healthy && said.contains("mật khẩu"), "{said}");
    let (said, healthy) = look(&["--tcp", &address, "--password", "12"], Language::English);
    assert!(!healthy && said.contains("six digits"), "{said}");
    let (said, healthy) = look(&["--port", "/dev/no-such-tty"], Language::Vietnamese);
    assert!(!healthy && said.contains("/dev/no-such-tty"), "{said}");
    let (said, healthy) = look(
        &["--tcp", &address, "--protocol", "concert"],
        Language::English,
    );
    assert!(!healthy && said.contains("does not run over"), "{said}");
    let odd = look(&["--port", "/dev/x", "--baud", "9601"], Language::English);
    assert!(!odd.1 && odd.0.contains("9601"), "{}", odd.0);
    assert_eq!(sim.orders_received(), 0);
    drop(sim);
    let (said, healthy) = look(&["--tcp", &address], Language::English);
    assert!(!healthy && said.contains(&address), "{said}");
    let broken = Words::try_parse_from(["doctor", "--tcp", "counter"]).unwrap();
    let error = broken.place.settings().unwrap_err().to_string();
    assert!(error.contains("HOST:PORT"), "{error}");
}
