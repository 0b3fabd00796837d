//! What staff order of the terminal: reversal, refund, end of day.

use super::words::{read_baseline, receipt_number};
use super::{CardLane, Row, terminal_said};
use checkout::till::{AttemptId, NotStartedReason, TerminalOrder, TerminalSaid};
use hardware::terminal as hw;

impl CardLane {
    /// Sends one order; what a terminal of this kind cannot do is said, and nothing is sent.
    pub(super) fn order(&self, attempt: AttemptId, order: &TerminalOrder, baseline: Option<&str>) {
        tracing::debug!(%attempt, "card: order");
        let wide = self.namespace.wide(attempt);
        let baseline = baseline.map_or(hw::Baseline::Unavailable, read_baseline);
        let can = self.terminal.capabilities();
        let sent = match order {
            TerminalOrder::Reversal { amount, reference } if can.can_reverse => {
                let Some(receipt_number) = receipt_number(reference) else {
                    return self.cannot(attempt);
                };
                let amount = self.amount(*amount);
                let reversal = hw::Reversal {
                    attempt: wide,
                    receipt_number,
                    amount,
                    baseline,
                };
                armed(reversal, wide, Some(amount)).and_then(|armed| self.terminal.reverse(armed))
            }
            TerminalOrder::Refund { amount } if can.can_refund => {
                let amount = self.amount(*amount);
                let refund = hw::Refund {
                    attempt: wide,
                    amount,
                    baseline,
                };
                armed(refund, wide, Some(amount)).and_then(|armed| self.terminal.refund(armed))
            }
            TerminalOrder::DayClose if can.can_close_day => {
                let day_close = hw::DayClose { attempt: wide };
                armed(day_close, wide, None).and_then(|armed| self.terminal.end_of_day(armed))
            }
            _ => return self.cannot(attempt),
        };
        self.or_not_started(attempt, sent);
    }

    fn cannot(&self, attempt: AttemptId) {
        let said = TerminalSaid::NotStarted(NotStartedReason::Unsupported);
        terminal_said(&self.report, attempt, said);
    }
}

fn armed<O: hw::Order>(
    order: O,
    attempt: hw::AttemptId,
    amount: Option<hw::Amount>,
) -> Result<hw::Armed<O>, hw::CommandRefused> {
    let step = hw::JournalStep::Armed;
    let row = Row {
        attempt,
        step,
        amount,
    };
    Ok(hw::Armed::new(order, row)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::AppEvent;
    use crate::mailbox::mailbox;
    use checkout::Money;
    use checkout::till::Event;
    use hw::stepped::SteppedDriver;

    #[test]
    fn a_terminal_without_an_end_of_day_says_so_and_is_sent_nothing() {
        // Proves that the French protocols answer a day close and a reversal with "cannot", in the till's own words.
        let currency = checkout::Currency::EUR;
        let tcp = hw::Connection::Tcp {
            host: "localhost".into(),
            port: 8888,
        };
        let serial = hw::Connection::Serial {
            path: "/dev/null".into(),
            baud: 9600,
            two_stop_bits: false,
            seven_even: false,
        };
        let settings = [
            (hw::Protocol::CaisseAp, tcp),
            (hw::Protocol::Concert, serial),
        ];
        for (protocol, connection) in settings {
            let settings = hw::TerminalConfig {
                protocol,
                ..hw::TerminalConfig::zvt(connection, "EUR")
            };
            let (post, inbox) = mailbox(|| {});
            let mut driver = None;
            let lane = CardLane::around(currency, "journal", post, |_| {
                let (stepped, handle) = SteppedDriver::new(&settings)?;
                driver = Some(stepped);
                Ok(Box::new(handle))
            });
            let (lane, mut driver) = (lane.unwrap(), driver.unwrap());
            let reversal = TerminalOrder::Reversal {
                amount: Money::new(1_250, currency),
                reference: "1/42/7/1128/120000".into(),
            };
            for (number, order) in [(1, TerminalOrder::DayClose), (2, reversal)] {
                lane.order(AttemptId(number), &order, None);
                let said = inbox.take();
                assert!(
                    matches!(
                        &said,
                        Some(AppEvent::Till(Event::Terminal {
                            attempt: AttemptId(told),
                            said: TerminalSaid::NotStarted(NotStartedReason::Unsupported),
                        })) if *told == number
                    ),
                    "{said:?}"
                );
                assert!(driver.take_command(0).is_none());
            }
        }
    }
}
