//! What a simulated terminal is without input and output.

use super::ledger::Ledger;
use super::scenario::Scenario;

/// What a model wants done.
#[derive(Debug, Default)]
pub struct SimOutput {
    /// Bytes for the wire.
    pub wire: Vec<u8>,
    /// The terminal is gone after these bytes.
    pub vanish: bool,
}

/// A simulated terminal. Times are milliseconds of one monotonic clock.
pub trait SimModel: Send {
    /// The till connected.
    fn link_up(&mut self, now_ms: u64, out: &mut SimOutput);
    /// The till is gone.
    fn link_down(&mut self, now_ms: u64);
    /// Bytes arrived.
    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut SimOutput);
    /// Time passed.
    fn tick(&mut self, now_ms: u64, out: &mut SimOutput);
    /// When `tick` has something to do.
    fn deadline_ms(&self) -> Option<u64>;
    /// Puts a scenario behind those already waiting.
    fn script(&mut self, scenario: Scenario);
    /// Scenario for orders without a script.
    fn set_usual(&mut self, scenario: Scenario);
    /// What was really charged.
    fn ledger(&self) -> &Ledger;
    /// How many orders for money arrived.
    fn orders_received(&self) -> usize;
    /// The terminal loses its power. What the bank had not answered is gone; scripts too.
    fn power_cut(&mut self, now_ms: u64);
    /// Somebody takes `amount_minor` with the terminal's own keys, without the till; `false` when
    /// the terminal is busy.
    fn stand_alone_sale(&mut self, amount_minor: u64) -> bool;
    /// How often the till asked the terminal to wait.
    fn holds_received(&self) -> usize {
        0
    }
}
