//! Counts changes at the servers themselves: a snapshot of everything before, one after, and what differs.
//!
//! The ERP is asked below its own program: every row of every table by its place and the transaction that wrote it, so that even a
//! write of equal values shows. The shop is asked for every object with its times, stock movements and history.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::{peers::Peers, vendure::Vendure};

/// Everything a server holds, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, String>);

/// Tables the ERP's own machinery writes when it is only read from: sessions, caches, counters of log-ins.
const MACHINERY: [&str; 6] =
    ["ir_cache", "ir_session", "ir_session_wizard", "ir_queue", "ir_cron", "res_user_login_attempt"];

impl Snapshot {
    pub async fn of_erp(peers: &Peers) -> Result<Self> {
        let fingerprint = "select md5(coalesce(string_agg(ctid::text || '/' || xmin::text, ',' order by ctid), '')) || '/' || count(*) as f from %I";
        let skipped = MACHINERY.map(|table| format!("'{table}'")).join(",");
        let query = format!(
            "select table_name, (xpath('/row/f/text()', query_to_xml(format('{}', table_name), false, true, '')))[1]::text \
             from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ({skipped})",
            fingerprint.replace('\'', "''")
        );
        let mut all = BTreeMap::new();
        for line in peers.erp_sql(&query).await?.lines() {
            let (table, state) = line.split_once('|').with_context(|| format!("unreadable row `{line}`"))?;
            all.insert(table.to_owned(), state.to_owned());
        }
        anyhow::ensure!(all.contains_key("sale_sale"), "the ERP's database shows no sales table");
        Ok(Self(all))
    }

    pub async fn of_shop(shop: &Vendure) -> Result<Self> {
        let kinds = [
            (
                "products",
                "Product",
                "id createdAt updatedAt enabled name slug description assets{id} optionGroups{id} facetValues{id} variants{id}",
            ),
            (
                "productVariants",
                "ProductVariant",
                "id createdAt updatedAt enabled sku name price priceWithTax stockLevels{stockOnHand stockAllocated updatedAt} stockMovements{totalItems} taxCategory{id} options{id} assets{id}",
            ),
            (
                "orders",
                "Order",
                "id code updatedAt state totalWithTax payments{id state updatedAt} fulfillments{id state trackingCode updatedAt} history(options:{take:1}){totalItems}",
            ),
            (
                "customers",
                "Customer",
                "id updatedAt emailAddress firstName lastName phoneNumber addresses{id updatedAt} history(options:{take:1}){totalItems}",
            ),
            ("assets", "Asset", "id createdAt updatedAt name fileSize"),
            ("collections", "Collection", "id createdAt updatedAt name slug position"),
            ("facets", "Facet", "id createdAt updatedAt code values{id updatedAt}"),
            ("productOptionGroups", "ProductOptionGroup", "id code createdAt updatedAt options{id updatedAt}"),
            ("promotions", "Promotion", "id createdAt updatedAt name"),
        ];
        let mut all = BTreeMap::new();
        for (field, kind, selection) in kinds {
            for object in shop.list(field, kind, selection).await? {
                all.insert(format!("{field} {}", object["id"].as_str().unwrap_or_default()), object.to_string());
            }
        }
        Ok(Self(all))
    }

    /// Names of what was made, changed or removed since `earlier`.
    #[must_use]
    pub fn changed_since(&self, earlier: &Self) -> Vec<String> {
        let gone = earlier.0.keys().filter(|name| !self.0.contains_key(*name)).map(|name| format!("{name} (gone)"));
        let other =
            self.0.iter().filter(|(name, state)| earlier.0.get(*name) != Some(state)).map(|(name, _)| name.clone());
        gone.chain(other).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(rows: &[(&str, &str)]) -> Snapshot {
        Snapshot(rows.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect())
    }

    #[test]
    fn shows_what_was_made_changed_and_removed() {
        let before = snapshot(&[("a", "1"), ("b", "1"), ("c", "1")]);
        assert!(before.changed_since(&before).is_empty());
        let after = snapshot(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(after.changed_since(&before), ["c (gone)", "b", "d"]);
    }
}
