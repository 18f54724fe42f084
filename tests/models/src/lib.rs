//! Small models of the protocol, searched completely.
