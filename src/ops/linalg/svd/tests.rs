//! Degenerate matrices, by hand.
