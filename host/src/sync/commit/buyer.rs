//! The customer record of an order's buyer.

use super::Commit;
use crate::ledger::LedgerError;
use crate::ledger::link::{LinkState, MAIN, MadeBy, NewLink};
use crate::ledger::record::{Identity, NewFacet, NewRecord};
use crate::model::sales::Placed;
use crate::model::{Canonical, FacetKey, Key, KeyType, RecordId, RecordKind, RemoteRef};

impl Commit<'_, '_> {
    /// The customer record of the buyer: by the id on this platform, else by e-mail address, else new.
    pub(super) fn buyer(&mut self, placed: &Placed) -> Result<(), LedgerError> {
        let email = placed.buyer.email.clone().unwrap_or_else(|| placed.customer.key.clone()).trim().to_lowercase();
        let id = placed.customer.id.as_deref().filter(|id| !id.is_empty());
        if let Some(id) = id
            && let Some(link) = self.tx.link_by_remote(self.me.id, RecordKind::Customer, id)?
            && link.record.is_some()
            && link.state != LinkState::Removed
        {
            return Ok(());
        }
        let key = Key { kind: KeyType::Email, value: email };
        let hits =
            if key.value.is_empty() { Vec::new() } else { self.tx.records_by_key(RecordKind::Customer, &key)? };
        let remote = id.map(RemoteRef::new);
        let record = match hits[..] {
            [hit] => hit,
            [] if self.me.policy.creates.contains(&RecordKind::Customer)
                && (remote.is_some() || !key.value.is_empty()) =>
            {
                let record = self.first_facets(placed)?;
                self.tx.add_keys(record, RecordKind::Customer, &[key])?;
                record
            }
            // Two customers with one address: the order carries the buyer's data, and a person tells them apart.
            _ => return Ok(()),
        };
        if let Some(remote) = remote
            && self.tx.link_of(self.me.id, RecordKind::Customer, record, MAIN)?.is_none()
            && !self.tx.is_never_match(self.me.id, RecordKind::Customer, &remote.id, record)?
        {
            self.tx.add_link(&NewLink {
                run: self.run,
                ..NewLink::live(self.me.id, RecordKind::Customer, record, remote, MadeBy::Pulled)
            })?;
        }
        Ok(())
    }

    fn first_facets(&mut self, placed: &Placed) -> Result<RecordId, LedgerError> {
        let json = |value: serde_json::Result<serde_json::Value>| {
            value.map_err(|source| LedgerError::Corrupt { what: "customer", source })
        };
        let mut addresses = vec![placed.billing.clone()];
        addresses.extend(placed.shipping.clone().filter(|shipping| *shipping != placed.billing));
        for (n, address) in addresses.iter_mut().enumerate() {
            if address.key.is_empty() {
                address.key = if n == 0 { "billing".into() } else { "shipping".into() };
            }
        }
        let (kind, origin) = (RecordKind::Customer, Some(self.me.id));
        let head = (FacetKey::head(), Canonical::of(&json(serde_json::to_value(&placed.buyer))?));
        let addresses = (FacetKey::from("addresses"), Canonical::of(&json(serde_json::to_value(&addresses))?));
        let facet = |(key, body)| NewFacet { key, body, as_of: None };
        let facets = [(&head.0, &head.1), (&addresses.0, &addresses.1)].map(facet).into();
        let new = NewRecord { kind, origin, product: None, facets, run: self.run };
        let (id, begun) = self.tx.insert_record(&new)?;
        self.want_changed(&Identity { id, kind, origin, product: None }, &begun)?;
        Ok(id)
    }
}
