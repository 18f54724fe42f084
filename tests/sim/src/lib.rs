//! The system in simulated time, with an honest relay or a malicious one.
