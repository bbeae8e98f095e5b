//! The derives of `tradepost-sdk`. They are documented there, where they are exported again, and used from there.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod choice;
mod doc;
mod settings;

use proc_macro::TokenStream;

/// Makes a struct the settings of a connector; see `tradepost_sdk::settings`.
#[proc_macro_derive(Settings, attributes(setting))]
pub fn settings(input: TokenStream) -> TokenStream {
    expand(input, settings::expand)
}

/// Makes an enum without fields a setting with choices; see `tradepost_sdk::settings`.
#[proc_macro_derive(Choice, attributes(setting))]
pub fn choice(input: TokenStream) -> TokenStream {
    expand(input, choice::expand)
}

fn expand(input: TokenStream, derive: fn(syn::DeriveInput) -> syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    derive(input).unwrap_or_else(|error| error.to_compile_error()).into()
}
