//! Finds marked secrets in bytes, whatever encoding they hide in.
