//! One TLS provider for every client in the process.

use std::sync::Once;

/// Installs ring as the process's TLS provider, once.
///
/// reqwest is built without a provider of its own, so that the kiosk carries
/// one crypto library and not two.
pub fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Err means that somebody installed one before us, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
