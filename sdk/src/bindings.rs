//! What wit-bindgen makes of the contract.
//!
//! The imports are generated once, each exported interface on its own: the types of an exported interface belong to it,
//! and a component must export just the abilities that its connector has.

#![allow(missing_docs, clippy::all, clippy::pedantic, unused_qualifications, unreachable_pub, rustdoc::all)]

/// What the host lends, and the record types.
pub mod powers {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        inline: "package tradepost:abilities;
            world lent {
                include tradepost:connector/powers@0.1.0-draft.1;
                import tradepost:connector/records@0.1.0-draft.1;
            }",
        world: "lent",
        generate_all,
        additional_derives: [PartialEq],
    });
}

/// The interface that every component exports.
pub mod describes {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        inline: "package tradepost:abilities; world describes { export tradepost:connector/connector@0.1.0-draft.1; }",
        world: "describes",
        pub_export_macro: true,
        export_macro_name: "export_describes",
        additional_derives: [PartialEq],
        with: {
            "tradepost:connector/types@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::types,
            "tradepost:connector/records@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::records,
            "tradepost:connector/head@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::head,
            "tradepost:connector/catalog@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::catalog,
            "tradepost:connector/sales@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::sales,
        },
    });
}

/// The interface of those that read.
pub mod reads {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        inline: "package tradepost:abilities; world reads { export tradepost:connector/source@0.1.0-draft.1; }",
        world: "reads",
        pub_export_macro: true,
        export_macro_name: "export_reads",
        additional_derives: [PartialEq],
        with: {
            "tradepost:connector/types@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::types,
            "tradepost:connector/head@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::head,
            "tradepost:connector/catalog@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::catalog,
            "tradepost:connector/sales@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::sales,
            "tradepost:connector/records@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::records,
        },
    });
}

/// The interface of those that write.
pub mod writes {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        inline: "package tradepost:abilities; world writes { export tradepost:connector/target@0.1.0-draft.1; }",
        world: "writes",
        pub_export_macro: true,
        export_macro_name: "export_writes",
        additional_derives: [PartialEq],
        with: {
            "tradepost:connector/types@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::types,
            "tradepost:connector/head@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::head,
            "tradepost:connector/catalog@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::catalog,
            "tradepost:connector/sales@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::sales,
            "tradepost:connector/records@0.1.0-draft.1": crate::bindings::powers::tradepost::connector::records,
        },
    });
}
