//! The command line by itself: what is refused before the first request, and what needs none.

mod bad_input;
mod good_input;
mod support;
