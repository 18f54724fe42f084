//! What patients turn to their devices for, and what an insider does with one.

use super::{Event, World};
use crate::client::{Client, Errand, Forgery, Number};
use crate::random;
use crate::time::Millis;

/// Minutes between two tries of an insider, about.
const INSIDER_MINUTES: u64 = 2;

impl World {
    /// A patient turns to the device, and will again.
    pub(super) fn errand(&mut self, client: usize) {
        if self.calm {
            return;
        }
        let is_insider = self.config.insider && client == 0;
        // Who tries for what is somebody else's tries often.
        let minutes = if is_insider { INSIDER_MINUTES } else { self.config.errand_minutes };
        let pause = Millis(random::below(self.people.rng(), 2 * minutes * 60_000));
        self.after(pause, Event::Errand(client));
        let drawn = random::below(self.people.rng(), 100);
        let place = usize::try_from(random::below(self.people.rng(), 8)).unwrap_or(0);
        let errand = match drawn {
            0..60 if is_insider => self.theft(client, place),
            0..20 => Errand::List,
            20..60 => Errand::Fetch(place),
            60..75 => Errand::Status,
            _ => Errand::Deposit,
        };
        let busy = self.clients.get(client).is_none_or(Client::is_busy);
        if !busy {
            self.send(client, errand);
        }
    }

    /// An insider asks for what is somebody else's, with a key that is enrolled.
    fn theft(&mut self, client: usize, place: usize) -> Errand {
        match place {
            0..4 => {}
            4..6 => return self.craft(client),
            _ => return self.forge(),
        }
        let foreign = self.ghost.foreign_documents(client);
        let place = random::below(self.people.rng(), foreign.len() as u64);
        let wanted = usize::try_from(place).ok().and_then(|place| foreign.get(place));
        wanted.map_or(Errand::List, |document| Errand::Steal(*document))
    }

    /// Or leaves something that is not as it was sealed.
    fn forge(&mut self) -> Errand {
        let drawn = usize::try_from(random::below(self.people.rng(), Forgery::ALL.len() as u64)).unwrap_or(0);
        Errand::Forge(Forgery::ALL.get(drawn).copied().unwrap_or(Forgery::Noise))
    }

    /// Or lists under numbers and names that it made up, or that are another's.
    fn craft(&mut self, client: usize) -> Errand {
        let drawn = usize::try_from(random::below(self.people.rng(), 8)).unwrap_or(0);
        let number = match drawn % 4 {
            0 => Number::Zero,
            1 => Number::Again,
            2 => Number::Far,
            _ => Number::Last,
        };
        let name = if drawn < 4 { None } else { self.ghost.name_of_another(client, drawn) };
        Errand::Craft(number, name)
    }
}
