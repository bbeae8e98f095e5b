//! `#[derive(Settings)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::meta::ParseNestedMeta;
use syn::{Data, DeriveInput, Error, Expr, ExprPath, Field, Fields, Lit, LitStr};

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
    let (mut declared, mut read, mut idents) = (Vec::new(), Vec::new(), Vec::new());
    for field in &fields.named {
        let setting = Setting::of(field)?;
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
        if setting.secret.is_some() && (setting.default.is_some() || setting.url || setting.pattern.is_some()) {
            return wrong("a secret has neither a default nor a check: its value never comes to the connector");
        }
        Ok(setting)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let text = || meta.value()?.parse::<LitStr>();
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
        quote! {
            .property(
                <#of as ::tradepost_sdk::settings::Setting>::property(#name)
                    .title(#title).help(#help) #default #min #max #pattern #url
            )
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
