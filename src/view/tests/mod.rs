//! Views of plans that the planner made from observations made by hand.

mod fixtures;
mod human;
mod markdown;
mod reports;
mod schema;
