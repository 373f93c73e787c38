//! Output for people and tools. A view turns plain data into text; it decides nothing.
//!
//! Text for people carries ANSI styles and no meaning that rests on them alone. The caller writes
//! it through a [`Console`](crate::console::Console), which strips the styles where the output is not a
//! terminal. Text that a server may have written goes through [`clean`](clean::clean) first.

pub(crate) mod bars;
mod escape;
mod lines;
pub(crate) mod manual;
mod page;
mod palette;
pub(crate) mod still;
mod value;
pub(crate) mod words;

pub mod checks;
pub mod clean;
pub mod human;
pub mod inventory;
pub mod json;
pub mod markdown;
pub mod progress;
pub mod remark;

#[cfg(test)]
mod tests;
