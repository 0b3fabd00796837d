//! Lines on the demo's standard input: what a person does to its devices while
//! it runs, and where on the screen a pointer can touch.

use super::sim::{PRINTER_LINES, printer_control};
use super::simulated::SimulatedShop;
use crate::bank::sim::Behaviour;
use crate::view::controls;
use anyhow::{Context, Result};
use hardware::terminal::sim::Scenario;
use std::io::BufRead;
use std::sync::Arc;
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
    Pay,
    Controls,
}

/// Obeys lines on a thread of its own, until standard input or the shop ends.
///
/// # Errors
/// When the system has no more threads.
pub(super) fn listen(shop: &Arc<SimulatedShop>) -> Result<()> {
    let shop = Arc::downgrade(shop);
    let obey = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let Some(shop) = shop.upgrade() else {
                return;
            };
            match parse(line.trim()) {
                Ok(Some(line)) => obey(&shop, line),
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
        ("bank", json) => Line::Bank(from_json(json)?),
        _ => return Err(wrong()),
    }))
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| format!("{json:?} is not understood: {error}"))
}

fn obey(shop: &SimulatedShop, line: Line) {
    match line {
        Line::Help => println!(
            "printer {PRINTER_LINES}\n\
             terminal SCENARIO (of the next card payment, as JSON), terminal unplug, terminal plug\n\
             bank BEHAVIOUR (as JSON), bank pay (the last open offer)\n\
             controls (where a pointer can touch)"
        ),
        Line::Printer(control) => shop.printer.control(control),
        Line::Terminal(scenario) => shop.terminal.script(*scenario),
        Line::TerminalCable(false) => shop.terminal.unplug(),
        Line::TerminalCable(true) => shop.terminal.plug(),
        Line::Bank(behaviour) => shop.bank.bank.behave(behaviour),
        Line::Pay => match shop.bank.bank.waiting().pop() {
            Some(offer) => {
                shop.bank.bank.pay(&offer.order, offer.amount_minor);
            }
            None => println!("no offer is open"),
        },
        Line::Controls => print_controls(),
    }
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
        assert_eq!(parse("controls"), Ok(Some(Line::Controls)));
        assert_eq!(parse(""), Ok(None));
        for wrong in ["printer", "printer burn", "terminal 5", "bank {", "coffee"] {
            assert!(
                parse(wrong).unwrap_err().contains("not understood"),
                "{wrong}"
            );
        }
    }
}
