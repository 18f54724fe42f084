//! What a relay, a stolen folder and the wire give away of marked secrets.

