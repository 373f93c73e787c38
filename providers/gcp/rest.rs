//! The calls that Google's clients lack: JSON, with the credentials of the clients.
