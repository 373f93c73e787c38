//! Turns an error of Google's clients into one of ours: what failed, on what, why, and what to do next.
