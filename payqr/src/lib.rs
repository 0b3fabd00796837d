//! payqr
