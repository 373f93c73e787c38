//! What the user asks for on Google Cloud.
