//! One deployment on Google Cloud: the stack that comes of what was asked for.
