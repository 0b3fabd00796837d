//! Lines on the demo's standard input: what a person does to its devices while
//! it runs, and where on the screen a pointer can touch.

use super::office::HeadOffice;
use super::sim::{PRINTER_LINES, printer_control};
use super::simulated::SimulatedShop;
use crate::bank::sim::Behaviour;
use crate::view::controls;
use anyhow::{Context, Result};
use hardware::terminal::sim::Scenario;
use payqr::provider::Provider;
use payqr::provider::bank::Faults;
use std::io::BufRead;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Longest wait for the window to say where its controls are.
const PATIENCE: Duration = Duration::from_secs(5);

/// One line.
#[derive(Debug, PartialEq)]
enum Line {
    Help,
    Printer(hardware::printer::sim::SimControl),
    Terminal(Box<Scenario>),
    TerminalCable(bool),
    Bank(Behaviour),
    Faults(Faults),
    Pay,
    Controls,
}

/// Obeys lines on a thread of its own, until standard input or the shop ends.
///
/// # Errors
/// When the system has no more threads.
pub(super) fn listen(shop: &Arc<SimulatedShop>, office: Option<&Arc<HeadOffice>>) -> Result<()> {
    let shop = Arc::downgrade(shop);
    let office = office.map_or_else(Weak::new, Arc::downgrade);
    let obey = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let Some(shop) = shop.upgrade() else {
                return;
            };
            match parse(line.trim()) {
                Ok(Some(line)) => obey(&shop, office.upgrade().as_deref(), line),
                Ok(None) => {}
                Err(why) => println!("{why}; `help` lists the lines"),
            }
        }
    };
    let thread = std::thread::Builder::new().name("demo-lines".into());
    thread.spawn(obey).context("the demo's lines")?;
    Ok(())
}

fn parse(line: &str) -> Result<Option<Line>, String> {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let wrong = || format!("{line:?} is not understood");
    Ok(Some(match (first, rest) {
        ("", _) => return Ok(None),
        ("help", _) => Line::Help,
        ("controls", "") => Line::Controls,
        ("printer", rest) => Line::Printer(printer_control(rest).ok_or_else(wrong)?),
        ("terminal", "unplug") => Line::TerminalCable(false),
        ("terminal", "plug") => Line::TerminalCable(true),
        ("terminal", json) => Line::Terminal(from_json(json)?),
        ("bank", "pay") => Line::Pay,
        ("bank", json) if json.starts_with('{') => Line::Bank(from_json(json)?),
        ("bank", "well") => Line::Faults(Faults::default()),
        ("bank", faults) => {
            let faults = Faults::read(&faults.replace(';', "\n"));
            Line::Faults(faults.map_err(|error| format!("not understood: {error}"))?)
        }
        _ => return Err(wrong()),
    }))
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| format!("{json:?} is not understood: {error}"))
}

fn obey(shop: &SimulatedShop, office: Option<&HeadOffice>, line: Line) {
    match line {
        Line::Help => println!(
            "printer {PRINTER_LINES}\n\
             terminal SCENARIO (of the next card payment, as JSON), terminal unplug, terminal plug\n\
             bank pay (the newest open code), bank FAULT; FAULT (of payOS), bank well,\n\
             bank BEHAVIOUR (as JSON, of the simulated relay without head office)\n\
             controls (where a pointer can touch)"
        ),
        Line::Printer(control) => shop.printer.control(control),
        Line::Terminal(scenario) => shop.terminal.script(*scenario),
        Line::TerminalCable(false) => shop.terminal.unplug(),
        Line::TerminalCable(true) => shop.terminal.plug(),
        Line::Bank(behaviour) => shop.bank.bank.behave(behaviour),
        Line::Faults(faults) => match office {
            Some(office) => office.payos.with_bank(|bank| bank.set_faults(faults)),
            None => println!("there is no payOS without head office"),
        },
        Line::Pay => {
            if !pay(shop, office) {
                println!("no offer is open");
            }
        }
        Line::Controls => print_controls(),
    }
}

/// Pays the newest open code; `false` when there is none.
fn pay(shop: &SimulatedShop, office: Option<&HeadOffice>) -> bool {
    if let Some(office) = office {
        return office.payos.with_bank(|bank| {
            let open = bank.newest_open(Provider::PayOs);
            let paid = open.map(|payment| bank.pay(payment, crate::clock::machine_ms()));
            paid.is_some()
        });
    }
    let open = shop.bank.bank.waiting().pop();
    let paid = open.map(|offer| shop.bank.bank.pay(&offer.order, offer.amount_minor));
    paid.is_some()
}

/// `control X Y on|off LABEL` for each, then `controls end COUNT`. X and Y are
/// the middle of what can be seen, in pixels of the window.
fn print_controls() {
    let controls = controls::ask(PATIENCE).unwrap_or_default();
    let mut text = String::new();
    for control in &controls {
        let state = if control.enabled { "on" } else { "off" };
        let (x, y) = control.middle_px;
        text.push_str(&format!("control {x} {y} {state} {}\n", control.label));
    }
    println!("{text}controls end {}", controls.len());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hardware::printer::sim::SimControl;
    use hardware::terminal::sim::SimOutcome;

    #[test]
    fn lines_are_understood_or_refused_with_a_reason() {
        // Proves that each documented line reaches its device, and that a mistyped one is named and does nothing.
        let printer = Line::Printer(SimControl::RemovePaper);
        assert_eq!(parse("printer paper out"), Ok(Some(printer)));
        let declined = Scenario::ending(SimOutcome::Decline(5));
        let terminal = parse(r#"terminal {"outcome":{"decline":5}}"#);
        assert_eq!(terminal, Ok(Some(Line::Terminal(Box::new(declined)))));
        assert_eq!(
            parse("terminal unplug"),
            Ok(Some(Line::TerminalCable(false)))
        );
        assert_eq!(parse("terminal plug"), Ok(Some(Line::TerminalCable(true))));
        assert_eq!(parse("bank pay"), Ok(Some(Line::Pay)));
        let slow = Behaviour {
            pay_after_ms: Some(9),
            ..Behaviour::default()
        };
        let bank = parse(r#"bank {"pay_after_ms":9}"#);
        assert_eq!(bank, Ok(Some(Line::Bank(slow))));
        let faults = Faults::read("under 1000 x1\ndrop_push").unwrap();
        let line = parse("bank under 1000 x1; drop_push");
        assert_eq!(line, Ok(Some(Line::Faults(faults))));
        let well = Some(Line::Faults(Faults::default()));
        assert_eq!(parse("bank well"), Ok(well));
        assert_eq!(parse("controls"), Ok(Some(Line::Controls)));
        assert_eq!(parse(""), Ok(None));
        for wrong in [
            "printer",
            "printer burn",
            "terminal 5",
            "bank {",
            "bank rob",
            "coffee",
        ] {
            assert!(
                parse(wrong).unwrap_err().contains("not understood"),
                "{wrong}"
            );
        }
    }
}
