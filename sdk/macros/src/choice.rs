//! `#[derive(Choice)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Variant};

use crate::doc;

pub(crate) fn expand(input: DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "a choice is an enum: one variant for each thing to choose"));
    };
    if data.variants.is_empty() {
        return Err(Error::new_spanned(&input.ident, "there is nothing to choose"));
    }
    let (mut names, mut idents, mut helps) = (Vec::new(), Vec::new(), Vec::new());
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(variant, "what is chosen carries no fields"));
        }
        let name = name_of(variant)?;
        if names.contains(&name) {
            return Err(Error::new_spanned(variant, format!("`{name}` is there twice")));
        }
        names.push(name);
        idents.push(&variant.ident);
        helps.push(doc::of(&variant.attrs).title);
    }
    let ident = &input.ident;
    Ok(quote! {
        impl ::tradepost_sdk::settings::Choice for #ident {
            const CHOICES: &'static [(&'static str, &'static str)] = &[#((#names, #helps)),*];

            fn choose(name: &str) -> ::core::option::Option<Self> {
                match name {
                    #(#names => ::core::option::Option::Some(Self::#idents),)*
                    _ => ::core::option::Option::None,
                }
            }

            fn name(&self) -> &'static str {
                match self {
                    #(Self::#idents => #names,)*
                }
            }
        }

        impl ::tradepost_sdk::settings::Setting for #ident {
            fn property(name: &'static str) -> ::tradepost_sdk::settings::Property {
                ::tradepost_sdk::settings::Property::choice::<Self>(name)
            }

            fn read(value: &::tradepost_sdk::settings::Value) -> ::core::result::Result<Self, ::std::string::String> {
                ::tradepost_sdk::settings::choose(value)
            }

            fn write(&self) -> ::tradepost_sdk::settings::Value {
                ::tradepost_sdk::settings::Value::from(::tradepost_sdk::settings::Choice::name(self))
            }
        }
    })
}

fn name_of(variant: &Variant) -> syn::Result<String> {
    let (mut name, mut renamed) = (kebab(&variant.ident.to_string()), false);
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("setting")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                if std::mem::replace(&mut renamed, true) {
                    return Err(meta.error("`rename` is there twice"));
                }
                name = meta.value()?.parse::<LitStr>()?.value();
                return Ok(());
            }
            Err(meta.error("a choice knows `rename = \"..\"` alone"))
        })?;
    }
    Ok(name)
}

/// `PartPaid` is `part-paid`.
fn kebab(ident: &str) -> String {
    let mut name = String::new();
    for sign in ident.chars() {
        if sign.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(sign.to_lowercase());
    }
    name
}
