//! Kills, power cuts and bad disks against the stores of relay and safe.

