//! The permissions that a server or an operator needs.
