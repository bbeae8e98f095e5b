//! `#[derive(Settings)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Expr, ExprPath, Field, Fields, FieldsNamed, Lit, LitStr};

use crate::doc;

pub(crate) fn expand(input: DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "settings are a struct: one field for each of them"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, "settings have names: write a struct with named fields"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "settings have no parameters"));
    }
    let settings = fields.named.iter().map(Setting::of).collect::<syn::Result<Vec<_>>>()?;
    agree(&settings, fields)?;
    let (mut declared, mut read, mut idents) = (Vec::new(), Vec::new(), Vec::new());
    for (setting, field) in settings.iter().zip(&fields.named) {
        declared.push(setting.declared(field));
        read.push(setting.read(field));
        idents.push(field.ident.as_ref());
    }
    let ident = &input.ident;
    Ok(quote! {
        impl ::tradepost_sdk::settings::Settings for #ident {
            fn form() -> ::tradepost_sdk::settings::Form {
                ::tradepost_sdk::settings::Form::new() #(#declared)*
            }

            fn read(reader: &mut ::tradepost_sdk::settings::Reader<'_>) -> ::core::option::Option<Self> {
                #(#read)*
                ::core::option::Option::Some(Self { #(#idents: #idents?),* })
            }
        }
    })
}

/// Names are there once, and a secret that is meant for one address names one.
fn agree(settings: &[Setting], fields: &FieldsNamed) -> syn::Result<()> {
    for (at, (setting, field)) in settings.iter().zip(&fields.named).enumerate() {
        if settings[..at].iter().any(|before| before.name == setting.name) {
            return Err(Error::new_spanned(field, format!("there are two settings with the name `{}`", setting.name)));
        }
        let Some(to) = &setting.to else { continue };
        let origins = || settings.iter().filter(|one| one.origin.is_some()).map(|one| format!("`{}`", one.name));
        if !origins().any(|name| name == format!("`{}`", to.value())) {
            let there = match origins().collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "there is none".to_owned(),
                names => format!("there is {names}"),
            };
            let words = format!("`to` names a setting with `origin = \"WHY\"`, and `{}` is none: {there}", to.value());
            return Err(Error::new_spanned(to, words));
        }
    }
    Ok(())
}

/// How a secret is placed.
enum Placed {
    Bearer,
    Basic,
    Header(LitStr),
    Query(LitStr),
    Scheme(Expr),
}

/// What `default` says.
enum Preset {
    /// That of the type.
    OfType,
    /// A literal, as it stands in the schema.
    Literal(Lit),
    /// A value of the field's type.
    Value(Expr),
}

#[derive(Default)]
struct Setting {
    name: String,
    title: Option<LitStr>,
    help: Option<LitStr>,
    default: Option<Preset>,
    min: Option<Expr>,
    max: Option<Expr>,
    pattern: Option<LitStr>,
    url: bool,
    origin: Option<LitStr>,
    check: Option<ExprPath>,
    secret: Option<Placed>,
    optional: bool,
    to: Option<LitStr>,
    /// Attributes that were there.
    seen: Vec<String>,
}

impl Setting {
    fn of(field: &Field) -> syn::Result<Self> {
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut setting = Self { name: name.trim_start_matches("r#").to_owned(), ..Self::default() };
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("setting")) {
            attribute.parse_nested_meta(|meta| setting.take(&meta))?;
        }
        let wrong = |words: &str| Err(Error::new_spanned(field, words));
        if setting.secret.is_none() && (setting.optional || setting.to.is_some()) {
            return wrong("`optional` and `to` belong to secrets; a setting that may be absent is an `Option`");
        }
        let of_value = ["default", "min", "max", "pattern", "url", "origin", "check"];
        if setting.secret.is_some() && setting.seen.iter().any(|seen| of_value.contains(&seen.as_str())) {
            return wrong("a secret has neither a default nor a check: its value never comes to the connector");
        }
        if setting.words(field).0.is_empty() {
            return wrong("the operator has to read what this is: say it in a doc comment, or with `title = \"..\"`");
        }
        Ok(setting)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let text = || meta.value()?.parse::<LitStr>();
        if self.seen.contains(&name) {
            return Err(meta.error(format!("`{name}` is there twice")));
        }
        let placed = matches!(name.as_str(), "bearer" | "basic" | "header" | "query" | "scheme");
        if placed && self.secret.is_some() {
            return Err(meta.error("a secret is placed in one way: it has one of bearer, basic, header, query, scheme"));
        }
        self.seen.push(name.clone());
        match name.as_str() {
            "rename" => self.name = text()?.value(),
            "title" => self.title = Some(text()?),
            "help" => self.help = Some(text()?),
            "default" if !meta.input.peek(syn::Token![=]) => self.default = Some(Preset::OfType),
            "default" => {
                self.default = Some(match meta.value()?.parse::<Expr>()? {
                    Expr::Lit(literal) => Preset::Literal(literal.lit),
                    other => Preset::Value(other),
                });
            }
            "min" => self.min = Some(meta.value()?.parse()?),
            "max" => self.max = Some(meta.value()?.parse()?),
            "pattern" => self.pattern = Some(text()?),
            "url" => self.url = true,
            "origin" => (self.url, self.origin) = (true, Some(text()?)),
            "check" => self.check = Some(meta.value()?.parse()?),
            "bearer" => self.secret = Some(Placed::Bearer),
            "basic" => self.secret = Some(Placed::Basic),
            "header" => self.secret = Some(Placed::Header(text()?)),
            "query" => self.secret = Some(Placed::Query(text()?)),
            "scheme" => self.secret = Some(Placed::Scheme(meta.value()?.parse()?)),
            "optional" => self.optional = true,
            "to" => self.to = Some(text()?),
            _ => {
                return Err(meta.error(
                    "not known here; there are rename, title, help, default, min, max, pattern, url, origin, check, and \
                     for secrets bearer, basic, header, query, scheme, optional, to",
                ));
            }
        }
        Ok(())
    }

    /// Title and help, from the attribute or the doc comment.
    fn words(&self, field: &Field) -> (String, String) {
        let doc = doc::of(&field.attrs);
        let given = |text: &Option<LitStr>, else_: String| text.as_ref().map_or(else_, LitStr::value);
        (given(&self.title, doc.title), given(&self.help, doc.help))
    }

    /// What is appended to the form.
    fn declared(&self, field: &Field) -> TokenStream {
        let (title, help) = self.words(field);
        let (name, of) = (&self.name, &field.ty);
        if let Some(placed) = &self.secret {
            let scheme = quote!(::tradepost_sdk::connector::Scheme);
            let scheme = match placed {
                Placed::Bearer => quote!(#scheme::Bearer),
                Placed::Basic => quote!(#scheme::Basic),
                Placed::Header(header) => quote!(#scheme::Header(::std::string::String::from(#header))),
                Placed::Query(query) => quote!(#scheme::Query(::std::string::String::from(#query))),
                Placed::Scheme(scheme) => scheme.to_token_stream(),
            };
            let title = match help.as_str() {
                "" => title,
                help => format!("{title}. {help}"),
            };
            let optional = self.optional.then(|| quote!(.optional()));
            let to = self.to.as_ref().map(|to| quote!(.to(#to)));
            return quote! {
                .secret(::tradepost_sdk::settings::SecretField::new(#name, #title, #scheme) #optional #to)
            };
        }
        let default = self.default.as_ref().map(|default| match default {
            Preset::OfType => quote!(.default(::tradepost_sdk::settings::Setting::write(
                &<#of as ::core::default::Default>::default()
            ))),
            Preset::Literal(literal) => quote!(.default(#literal)),
            Preset::Value(value) => quote!(.default(::tradepost_sdk::settings::Setting::write(&{
                let value: #of = #value;
                value
            }))),
        });
        let min = self.min.as_ref().map(|min| quote!(.min(#min)));
        let max = self.max.as_ref().map(|max| quote!(.max(#max)));
        let pattern = self.pattern.as_ref().map(|pattern| quote!(.pattern(#pattern)));
        let url = self.url.then(|| quote!(.url()));
        let origin =
            self.origin.as_ref().map(|why| quote!(.origin(::tradepost_sdk::connector::Origin::setting(#name, #why))));
        // Whether bounds and patterns mean something for it is known of the type alone.
        let is = |means: TokenStream| {
            quote_spanned!(of.span()=> {
                fn is<T: ::tradepost_sdk::settings::#means>() {}
                is::<#of>();
            })
        };
        let whole = (self.min.is_some() || self.max.is_some()).then(|| is(quote!(Whole)));
        let written = (self.pattern.is_some() || self.url).then(|| is(quote!(Written)));
        quote! {
            .property({
                #whole #written
                <#of as ::tradepost_sdk::settings::Setting>::property(#name)
                    .title(#title).help(#help) #default #min #max #pattern #url
            })
            #origin
        }
    }

    /// The statement that reads the field.
    fn read(&self, field: &Field) -> TokenStream {
        let (ident, name, of) = (&field.ident, &self.name, &field.ty);
        if self.secret.is_some() {
            return quote! {
                let #ident: ::core::option::Option<#of> =
                    ::core::option::Option::Some(::tradepost_sdk::settings::Secret::named(#name));
            };
        }
        match &self.check {
            Some(check) => quote!(let #ident: ::core::option::Option<#of> = reader.checked(#name, #check);),
            None => quote!(let #ident: ::core::option::Option<#of> = reader.value(#name);),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the compiler says of settings.
    fn told(fields: &str) -> String {
        let input = syn::parse_str(&format!("struct Config {{ {fields} }}")).unwrap();
        expand(input).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_secret_is_bound_to_an_address_that_is_declared() {
        let url = "/// Shop\n#[setting(origin = \"API\")] url: String,";
        let secret = |to: &str| format!("/// Key\n#[setting(bearer, to = \"{to}\")] key: Secret");
        assert_eq!(told(&format!("{url} {}", secret("url"))), "");
        let words = told(&format!("{url} {}", secret("ulr")));
        assert!(words.contains("`ulr` is none: there is `url`"), "{words}");
        let words = told(&format!("/// Shop\n#[setting(url)] url: String, {}", secret("url")));
        assert!(words.contains("`url` is none: there is none"), "an address without leave: {words}");
        let renamed = "/// Shop\n#[setting(origin = \"API\", rename = \"shop-url\")] url: String,";
        assert_eq!(told(&format!("{renamed} {}", secret("shop-url"))), "");
        assert!(told(&format!("{renamed} {}", secret("url"))).contains("there is `shop-url`"));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (field, words) in [
            ("/// Key\n#[setting(bearer, basic)] key: Secret", "placed in one way"),
            ("/// Key\n#[setting(bearer, bearer)] key: Secret", "`bearer` is there twice"),
            ("/// Key\n#[setting(bearer, check = f)] key: Secret", "a secret has neither"),
            ("/// Key\n#[setting(bearer, max = 7)] key: Secret", "a secret has neither"),
            ("/// Size\n#[setting(rename = \"a\", rename = \"b\")] size: u8", "`rename` is there twice"),
            ("/// Size\n#[setting(min = 1)] #[setting(min = 2)] size: u8", "`min` is there twice"),
            ("/// A\n a: u8, /// B\n#[setting(rename = \"a\")] b: u8", "two settings with the name `a`"),
            ("size: u8", "say it in a doc comment"),
            ("#[setting(bearer)] key: Secret", "say it in a doc comment"),
        ] {
            assert!(told(field).contains(words), "{field}: {}", told(field));
        }
        assert_eq!(told("#[setting(title = \"Size\", min = 1, max = 7)] size: u8"), "");
    }
}
