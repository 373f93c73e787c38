//! The notification that tells the topic of new objects.
