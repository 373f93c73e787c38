//! The mark: tags, metadata and labels that say which deployment something belongs to.
