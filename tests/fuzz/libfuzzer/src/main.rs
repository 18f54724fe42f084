//! Every target of the table behind one libFuzzer program: `ROHRPOST_FUZZ_TARGET` names the one to run.

#![no_main]

use std::env;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use rohrpost_fuzz::{Target, target};

fn chosen() -> &'static Target {
    static CHOSEN: OnceLock<&Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = env::var("ROHRPOST_FUZZ_TARGET").expect("ROHRPOST_FUZZ_TARGET names a target");
        target::find(&name).unwrap_or_else(|| panic!("there is no target `{name}`"))
    })
}

fuzz_target!(init: { chosen(); }, |bytes: &[u8]| {
    // Either verdict is right; a promise that does not hold panics.
    let _verdict = (chosen().run)(bytes);
});
