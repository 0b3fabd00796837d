//! Payment QR codes: EMVCo Merchant-Presented Mode and its national schemes,
//! EPC069-12, Swiss QR-bill and UPI.
//!
//! Pure text to values and back: no input or output, no clock, no randomness,
//! no float. Encoders are strict (what they write is inside the published
//! rules); decoders are liberal (what real codes do is read) and lossless: a
//! decoded [`Payload`] encodes to the identical bytes. Every error says what is
//! wrong and where.
//!
//! ```
//! use payqr::VietQr;
//! let text = VietQr::account("970416", "257678859")
//!     .with_amount(10_000)
//!     .with_memo("Chuyen tien")
//!     .encode()?;
//! assert!(text.ends_with("62150811Chuyen tien630453E6"));
//! # Ok::<(), payqr::EncodeError>(())
//! ```

pub mod amount;
pub mod crc;
mod encode;
pub mod error;
pub mod memo;
pub mod order_code;
pub mod payload;
pub mod tlv;
pub mod vietqr;

pub use amount::Amount;
pub use error::{DecodeError, EncodeError, Fault, Place};
pub use memo::MemoRule;
pub use order_code::{OrderCode, OrderCodeError, StorePrefix};
pub use payload::{Payload, Warning};
pub use tlv::{Field, Id, LengthUnit};
pub use vietqr::{Service, VietQr, Wallet};
