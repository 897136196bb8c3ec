//! What administrators do, one use case a file.
