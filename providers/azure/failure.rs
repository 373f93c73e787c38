//! Turns an error of Azure into one of ours: what failed, on what, why, and what to do next.
