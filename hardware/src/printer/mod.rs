//! Receipt printer over ESC/POS: what the receipt says ([`document`]), the bytes for a given
//! model ([`encode`], [`profile`]), what is on the wire ([`protocol`]).

pub mod document;
pub mod encode;
pub mod glyph;
pub mod profile;
pub mod protocol;
pub mod text;
