//! Receipt printer over ESC/POS.
