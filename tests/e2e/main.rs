//! Stories of the whole system.

mod absence;
mod deposits;
mod enrolment;
mod interruptions;
mod programs;
mod revocation;
mod samples;
mod strangers;
