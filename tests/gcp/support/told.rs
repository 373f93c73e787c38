//! What every refusal has to be like.

use wbstore_sandbox::ran::Ran;

/// Checks what holds of every refusal: no outputs, a hint, and nothing of the program's own insides.
#[track_caller]
pub fn is_told_well(ran: &Ran) {
    assert_eq!(ran.stdout, "", "{ran}");
    assert!(ran.stderr.contains("hint:"), "{ran}");
    for inside in ["panicked", "Status {", "Error {", "Some(", "Kind::", "RUST_BACKTRACE", "transport:"] {
        assert!(!ran.stderr.contains(inside), "{inside:?} is in\n{ran}");
    }
}
