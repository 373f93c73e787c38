//! Names of storage queues, and the choice of having one.
