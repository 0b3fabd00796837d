//! What payment providers send and expect: requests, answers, signatures and
//! webhooks of payOS, SePay and Pix, and one neutral [`Credit`].
//!
//! Pure as the rest of this crate: bytes in, values out; the time of a check
//! and every key are parameters. Reading fails closed: what is not proven to
//! come from the provider is a [`Reject`], what is proven but is no money for
//! the asked account is a [`NotACredit`]. Neither ever means "not paid".
//!
//! A provider's answer that is refused or unreadable leaves the payment
//! unknown; ask again (payOS: by order code, SePay: from the cursor, Pix: by
//! txid) before anything else is done with the order.

#[cfg(feature = "simulator")]
pub mod bank;
pub mod credit;
mod json;
pub mod payos;
pub mod pix;
pub mod sepay;
pub mod signature;
pub mod time;

pub use credit::{Credit, Currency, NotACredit, Provider};
pub use signature::{Reject, Secret};

/// Longest body read, bytes. A webhook has about one kilobyte, the longest
/// page of a list about a hundred.
pub const MAX_BODY_BYTES: usize = 512 * 1_024;
