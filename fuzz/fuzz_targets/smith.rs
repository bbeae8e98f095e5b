#![no_main]
//! Components that are valid, whatever else they are.

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(component) = wasm_smith::Component::new(wasm_smith::Config::default(), &mut Unstructured::new(data)) {
        tradepost_fuzz::component(&component.to_bytes());
    }
});
