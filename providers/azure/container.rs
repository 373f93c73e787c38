//! A private blob container.
