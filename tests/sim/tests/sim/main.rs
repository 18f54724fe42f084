//! The system in simulated time: an honest relay in all weather, a malicious one with all its powers.

mod crashes;
mod evil;
mod honest;
mod pins;
mod twins;
