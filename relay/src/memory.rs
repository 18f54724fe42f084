//! Whose handshakes QUIC has in memory, under way or failed, and who may have more there.
//!
//! A plain value. What is under way can give way; what has failed is remembered for seconds and cannot. So whoever fails on
//! purpose must not be able to fill this: half of it is for who comes first, and of the other half nobody is given more than
//! [`FEW`]. Invariant: never more is held than there is room for, and it takes an eighth as many hosts
//! as it has room for to leave none for somebody who holds nothing.

use std::collections::BTreeMap;

use crate::sources::{Kind, Source};

/// So many at once may whoever shares an address still have when half of all is taken: a handshake that is meant is over
/// after a few round trips, and then its place is free.
const FEW: usize = 4;

/// Whose a handshake is. What anybody may have written on an address is not counted with what came from there.
pub(crate) type Owner = (Source, bool);

/// Whose a handshake of a kind is.
pub(crate) fn owner(source: Source, kind: Kind) -> Owner {
    (source, kind == Kind::Unproven)
}

/// The memory of one relay for handshakes.
#[derive(Debug)]
pub(crate) struct Memory {
    room: usize,
    taken: usize,
    held: BTreeMap<Owner, usize>,
}

impl Memory {
    /// Nothing is held, and there is room for so many.
    pub(crate) fn new(room: usize) -> Self {
        Self { room, taken: 0, held: BTreeMap::new() }
    }

    /// Whether what is left is kept for those who hold few.
    pub(crate) fn is_half_taken(&self) -> bool {
        self.room - self.taken <= self.room / 2
    }

    /// One more is to be held; false, and not held, if its owner must not have it.
    pub(crate) fn handle_begun(&mut self, owner: Owner) -> bool {
        let held = self.held.get(&owner).copied().unwrap_or_default();
        let fits = if self.is_half_taken() { held < FEW && self.taken < self.room } else { true };
        if fits {
            self.taken += 1;
            self.held.insert(owner, held + 1);
        }
        fits
    }

    /// One that was held is forgotten.
    pub(crate) fn handle_forgotten(&mut self, owner: Owner) {
        let Some(held) = self.held.get_mut(&owner) else { return };
        *held -= 1;
        self.taken -= 1;
        if *held == 0 {
            self.held.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u8) -> Owner {
        owner(Source::V4([192, 0, 2, number]), Kind::Handshake)
    }

    /// As many as one host is given.
    fn fill(memory: &mut Memory, host: Owner) -> usize {
        (0..1000).take_while(|_| memory.handle_begun(host)).count()
    }

    #[test]
    fn one_host_fills_half_of_what_is_remembered_and_no_more() {
        let mut memory = Memory::new(100);
        assert_eq!(fill(&mut memory, host(1)), 50);
        assert!(memory.is_half_taken());
        assert_eq!((fill(&mut memory, host(1)), fill(&mut memory, host(2))), (0, 4));
    }

    #[test]
    fn many_hosts_together_leave_room_for_who_holds_none() {
        let mut memory = Memory::new(100);
        let taken: Vec<_> = (0..12).map(|number| fill(&mut memory, host(number))).collect();
        assert_eq!(taken, [[50].as_slice(), &[4; 11]].concat());
        assert!(memory.handle_begun(host(12)));
    }

    #[test]
    fn never_is_more_held_than_there_is_room_for_and_what_is_forgotten_is_free() {
        let mut memory = Memory::new(7);
        let taken: usize = (0..9).map(|number| fill(&mut memory, host(number))).sum();
        assert_eq!(taken, 7);
        assert!(!memory.handle_begun(host(9)));
        memory.handle_forgotten(host(9));
        assert!(!memory.handle_begun(host(9)), "it held none");
        memory.handle_forgotten(host(0));
        assert!(memory.handle_begun(host(9)) && !memory.handle_begun(host(10)));
    }

    #[test]
    fn a_host_is_forgotten_with_the_last_of_it() {
        let mut memory = Memory::new(8);
        assert!(memory.handle_begun(host(1)) && memory.handle_begun(host(1)));
        memory.handle_forgotten(host(1));
        assert_eq!((memory.taken, memory.held.len()), (1, 1));
        memory.handle_forgotten(host(1));
        assert_eq!((memory.taken, memory.held.len()), (0, 0));
    }

    #[test]
    fn what_was_forged_in_the_name_of_a_host_is_not_held_against_it() {
        let mut memory = Memory::new(100);
        let forged = owner(Source::V4([192, 0, 2, 1]), Kind::Unproven);
        assert_eq!((fill(&mut memory, forged), fill(&mut memory, host(1))), (50, 4));
    }
}
