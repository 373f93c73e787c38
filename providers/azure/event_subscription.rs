//! The Event Grid subscription that tells the queue of new blobs.
