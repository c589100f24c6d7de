//! The cases that differ from PyTorch for a reason.

/// A case, what differs in it (part, by which route, how many elements), and why.
pub const EXCUSES: &[(&str, &str, &str)] = &[];
