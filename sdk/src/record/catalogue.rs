//! Categories, products, stock, prices.

use crate::catalog::{
    Attribute, Category, CategoryBase, Choice, Content, Form, Medium, Price, PriceKind, Product, ProductBase,
    StockLevel, Texts, Variant,
};
use crate::head::{Head, Part, PartKind};
use crate::types::{BlobRef, Link, RemoteRef, TaxBasis};

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let tea = Category::read("3").base("tea", Some(Link::new(1, "drinks"))).text("en", "Tea");
/// assert_eq!(tea.base.unwrap().parent.unwrap().key, "drinks");
/// ```
impl Category {
    /// A category of the platform.
    #[must_use]
    pub fn read(remote: impl Into<RemoteRef>) -> Self {
        Self { head: Head::read(remote), base: None, texts: Vec::new(), pictures: None, extra: Vec::new() }
    }

    /// Its natural key and what it is below.
    #[must_use]
    pub fn base(mut self, key: impl Into<String>, parent: Option<Link>) -> Self {
        self.base = Some(CategoryBase { key: key.into(), parent, active: true, position: None });
        self
    }

    /// Its name in a language.
    #[must_use]
    pub fn text(mut self, language: impl Into<String>, name: impl Into<String>) -> Self {
        self.texts.push(Texts::new(language, name));
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let product = Product::read("7")
///     .base(ProductBase::goods())
///     .text("en", "Tea pot")
///     .picture(Medium::at("7-1", "https://shop.example/pot.jpg"))
///     .variant(Variant::new("POT-RED").remote("71").choice("colour", "red"))
///     .variant(Variant::new("POT-BLUE").remote("72").choice("colour", "blue"));
/// assert_eq!(product.variants.unwrap().len(), 2);
/// assert_eq!(product.head.parts[0].key, "POT-RED");
/// assert!(product.categories.is_none(), "says nothing about categories");
/// ```
impl Product {
    /// A product of the platform.
    #[must_use]
    pub fn read(remote: impl Into<RemoteRef>) -> Self {
        Self {
            head: Head::read(remote),
            base: None,
            texts: Vec::new(),
            pictures: None,
            categories: None,
            attributes: None,
            variants: None,
            extra: Vec::new(),
        }
    }

    /// What kind of product it is.
    #[must_use]
    pub fn base(mut self, base: ProductBase) -> Self {
        self.base = Some(base);
        self
    }

    /// Its name in a language.
    #[must_use]
    pub fn text(self, language: impl Into<String>, name: impl Into<String>) -> Self {
        self.texts(Texts::new(language, name))
    }

    /// Its texts in a language.
    #[must_use]
    pub fn texts(mut self, texts: Texts) -> Self {
        self.texts.push(texts);
        self
    }

    /// Adds a picture; with the first one, all pictures are told.
    #[must_use]
    pub fn picture(mut self, picture: Medium) -> Self {
        self.pictures.get_or_insert_default().push(picture);
        self
    }

    /// The categories it is in, all of them.
    #[must_use]
    pub fn categories(mut self, categories: Vec<Link>) -> Self {
        self.categories = Some(categories);
        self
    }

    /// Adds an attribute; with the first one, all attributes are told.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let attribute = Attribute { name: name.into(), value: value.into(), language: None, unit: None };
        self.attributes.get_or_insert_default().push(attribute);
        self
    }

    /// Adds a variant, which is worth remembering by its id; with the first one, all variants are told.
    #[must_use]
    pub fn variant(mut self, variant: Variant) -> Self {
        if let Some(remote) = &variant.remote {
            self.head.parts.push(Part::new(PartKind::Variant, variant.sku.clone(), &remote.id));
        }
        self.variants.get_or_insert_default().push(variant);
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let base = ProductBase { manufacturer: Some("Meissen".into()), ..ProductBase::goods() };
/// assert!(base.active && base.form == Form::Goods);
/// ```
impl ProductBase {
    /// Goods on sale.
    #[must_use]
    pub fn goods() -> Self {
        Self { number: None, form: Form::Goods, active: true, manufacturer: None, unit: None }
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let texts = Texts { long_html: Some("<p>A pot.</p>".into()), ..Texts::new("en", "Tea pot") };
/// assert_eq!(texts.name, "Tea pot");
/// ```
impl Texts {
    /// A name in a language.
    #[must_use]
    pub fn new(language: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            language: language.into(),
            name: name.into(),
            short_html: None,
            long_html: None,
            slug: None,
            meta_title: None,
            meta_description: None,
            keywords: Vec::new(),
        }
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let picture = Medium::at("7-1", "https://shop.example/pot.jpg");
/// assert!(picture.content.blob.is_none());
/// ```
impl Medium {
    /// A picture that the host can fetch.
    #[must_use]
    pub fn at(key: impl ToString, url: impl Into<String>) -> Self {
        Self { key: key.to_string(), content: Content { blob: None, url: Some(url.into()) }, title: Vec::new() }
    }

    /// A picture that the host keeps.
    #[must_use]
    pub fn kept(key: impl ToString, blob: BlobRef) -> Self {
        Self { key: key.to_string(), content: Content { blob: Some(blob), url: None }, title: Vec::new() }
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let variant = Variant { gtin: Some("4006381333931".into()), ..Variant::new("POT-RED").choice("colour", "red") };
/// assert_eq!((variant.sku.as_str(), variant.choices[0].value.as_str()), ("POT-RED", "red"));
/// ```
impl Variant {
    /// Something on sale with a SKU.
    #[must_use]
    pub fn new(sku: impl Into<String>) -> Self {
        Self {
            remote: None,
            sku: sku.into(),
            gtin: None,
            mpn: None,
            active: true,
            tax_class: None,
            tax_percent: None,
            choices: Vec::new(),
            weight_kg: None,
            pictures: None,
            extra: Vec::new(),
        }
    }

    /// Its reference on the platform; what is pulled always has one.
    #[must_use]
    pub fn remote(mut self, remote: impl Into<RemoteRef>) -> Self {
        self.remote = Some(remote.into());
        self
    }

    /// A choice that it makes.
    #[must_use]
    pub fn choice(mut self, axis: impl Into<String>, value: impl Into<String>) -> Self {
        let (axis, value) = (axis.into(), value.into());
        self.choices.push(Choice { axis, value, names: Vec::new(), values: Vec::new() });
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let level = StockLevel::read("71", Link::new("71", "POT-RED"), Decimal::from(12));
/// assert_eq!((level.quantity.as_str(), level.warehouse.as_str()), ("12", "main"));
/// ```
impl StockLevel {
    /// Stock of a variant in the only warehouse.
    #[must_use]
    pub fn read(remote: impl Into<RemoteRef>, variant: Link, quantity: impl ToString) -> Self {
        Self {
            head: Head::read(remote),
            variant,
            warehouse: "main".into(),
            quantity: quantity.to_string(),
            unlimited: false,
            taken: None,
        }
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let amount: Decimal = "19.90".parse().unwrap();
/// let price = Price::read("71", Link::new("71", "POT-RED"), amount, "EUR", TaxBasis::Gross);
/// assert_eq!((price.amount.as_deref(), price.channel.as_str()), (Some("19.90"), "main"));
/// ```
impl Price {
    /// The base price of a variant in the only channel.
    #[must_use]
    pub fn read(
        remote: impl Into<RemoteRef>,
        variant: Link,
        amount: impl ToString,
        currency: impl Into<String>,
        basis: TaxBasis,
    ) -> Self {
        Self {
            head: Head::read(remote),
            variant,
            channel: "main".into(),
            kind: PriceKind::Base,
            currency: currency.into(),
            basis,
            amount: Some(amount.to_string()),
            from_quantity: "1".into(),
            valid_from: None,
            valid_to: None,
        }
    }
}
