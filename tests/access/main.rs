//! Who may do what, over real connections: strangers, other practices, revoked devices, guessed PINs.

