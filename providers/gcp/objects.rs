//! What a bucket holds, and how it is emptied.
