//! One deployment on Azure: the stack that comes of what was asked for.
