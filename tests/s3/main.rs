//! `wbstore … s3` through the built program, on stores that are not AWS: real ones where they can be installed, and what
//! others do on top of those. Each stands before a proxy that writes down every request.

mod adopted;
mod asked_for;
mod bad_input;
mod doctor;
mod life;
mod peculiarities;
mod rclone;
mod support;
mod table;
mod team;
mod verify;
