//! Goods that orders hold until the owner of the stock counts them itself.

use jiff::Timestamp;
use rusqlite::Row;
use rust_decimal::Decimal;

use super::{LedgerError, Tx, View, from_micros, micros};
use crate::model::{PlatformId, RecordId};

/// Goods held by one order line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Number.
    pub id: i64,
    /// Order.
    pub order: RecordId,
    /// Line.
    pub line: String,
    /// Variant.
    pub variant: RecordId,
    /// Pieces.
    pub quantity: Decimal,
    /// Shop that sold them.
    pub shop: PlatformId,
    /// When the order was first seen.
    pub opened_at: Timestamp,
    /// When the owner of the stock accepted the order.
    pub accepted_at: Option<Timestamp>,
    /// Pieces that left.
    pub shipped: Decimal,
    /// Still holds goods.
    pub open: bool,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, \"order\", line, variant, qty, shop, opened_at, accepted_at, shipped_qty, state FROM reservation",
            $rest
        )
    };
}

fn reservation(row: &Row<'_>) -> Result<Reservation, LedgerError> {
    Ok(Reservation {
        id: row.get(0)?,
        order: RecordId(row.get(1)?),
        line: row.get(2)?,
        variant: RecordId(row.get(3)?),
        quantity: decimal(&row.get::<_, String>(4)?)?,
        shop: PlatformId(row.get(5)?),
        opened_at: from_micros(row.get(6)?),
        accepted_at: row.get::<_, Option<i64>>(7)?.map(from_micros),
        shipped: decimal(&row.get::<_, String>(8)?)?,
        open: row.get::<_, String>(9)? == "open",
    })
}

fn decimal(text: &str) -> Result<Decimal, LedgerError> {
    text.parse().map_err(|_| LedgerError::Conflict {
        message: format!("the ledger was changed by hand: `{text}` is no quantity of a reservation"),
    })
}

impl View<'_> {
    /// Reservations of an order, ended ones too.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn reservations_of(&self, order: RecordId) -> Result<Vec<Reservation>, LedgerError> {
        self.connection
            .prepare_cached(select!(" WHERE \"order\" = ?1 ORDER BY id"))?
            .query_map([order.0], |row| Ok(reservation(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Open reservations of a variant.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn open_reservations(&self, variant: RecordId) -> Result<Vec<Reservation>, LedgerError> {
        self.connection
            .prepare_cached(select!(" WHERE variant = ?1 AND state = 'open' ORDER BY id"))?
            .query_map([variant.0], |row| Ok(reservation(row)))?
            .map(|row| row?)
            .collect()
    }
}

impl Tx<'_> {
    /// Holds goods for an order line. A line that is held already gets the new quantity; one that was released stays so.
    /// Returns whether anything changed.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn reserve(
        &self,
        order: RecordId,
        line: &str,
        variant: RecordId,
        quantity: Decimal,
        shop: PlatformId,
    ) -> Result<bool, LedgerError> {
        let changed = self
            .connection
            .prepare_cached(
                "INSERT INTO reservation (\"order\", line, variant, qty, shop, opened_at, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open')
                 ON CONFLICT (\"order\", line) DO UPDATE SET qty = excluded.qty, variant = excluded.variant
                 WHERE state = 'open' AND (qty <> excluded.qty OR variant <> excluded.variant)",
            )?
            .execute((order.0, line, variant.0, quantity.normalize().to_string(), shop.0, micros(self.now())))?;
        Ok(changed == 1)
    }

    /// The owner of the stock has the order since then; its later figures count it.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn accept_reservations(&self, order: RecordId, at: Timestamp) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE reservation SET accepted_at = ?2 WHERE \"order\" = ?1 AND state = 'open' AND accepted_at IS NULL",
            )?
            .execute((order.0, micros(at)))?;
        Ok(())
    }

    /// So many pieces of a line have left, all parcels together.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_shipped(&self, reservation: i64, pieces: Decimal) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE reservation SET shipped_qty = ?2 WHERE id = ?1")?
            .execute((reservation, pieces.normalize().to_string()))?;
        Ok(())
    }

    /// Lets go of the goods.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn release(&self, reservation: i64) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE reservation SET state = 'released' WHERE id = ?1")?
            .execute([reservation])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, platform, write};
    use crate::model::RecordKind;

    #[tokio::test]
    async fn a_line_holds_goods_once() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        write(&ledger, move |tx| {
            let order = tx.create_record(RecordKind::Order, Some(shop), None)?;
            let variant = tx.create_record(RecordKind::Variant, None, None)?;
            let two = Decimal::new(200, 2);
            assert!(tx.reserve(order, "1", variant, two, shop)?);
            assert!(!tx.reserve(order, "1", variant, Decimal::TWO, shop)?, "2.00 pieces are 2 pieces");
            assert!(tx.reserve(order, "1", variant, Decimal::ONE, shop)?);
            tx.accept_reservations(order, Timestamp::UNIX_EPOCH)?;
            let open = tx.open_reservations(variant)?;
            assert_eq!(open[0].accepted_at, Some(Timestamp::UNIX_EPOCH));
            assert_eq!((open.len(), open[0].quantity), (1, Decimal::ONE));
            tx.release(open[0].id)?;
            assert!(!tx.reserve(order, "1", variant, Decimal::TEN, shop)?, "what was released stays so");
            assert_eq!(tx.open_reservations(variant)?, []);
            Ok(())
        })
        .await;
    }
}
