//! Stories of the whole system.

mod absence;
mod blindness;
mod deposits;
mod enrolment;
mod interruptions;
mod misfortunes;
mod programs;
mod revocation;
mod samples;
mod strangers;
