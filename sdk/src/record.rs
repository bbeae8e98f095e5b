//! Making records without naming every field. What is not said is absent, and an absent facet says nothing.

mod catalogue;
mod reference;
mod trade;
