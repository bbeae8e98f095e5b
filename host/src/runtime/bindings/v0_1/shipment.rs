//! Shipments: the facet `shipment`.

use super::head::{record, to_head};
use super::order_event::to_amounts;
use super::value::{
    Read, decimal, decimal_opt, extra, filled, invalid, json, link, list, required, timestamp, to_decimal, to_extra,
    to_link, to_timestamp,
};
use super::wit::tradepost::connector::sales as ws;
use crate::model::sales::{AmountOf, Parcel, Shipment};
use crate::model::{Kind, Record};

pub(super) fn read(shipment: ws::Shipment) -> Read<Record> {
    let ws::Shipment { head, order, shipped, parcels, completes, extra: fields } = shipment;
    let mut record = record(Kind::Shipment, head)?;
    record.of = Some(link("order", order)?);
    let shipment = Shipment {
        shipped: timestamp("shipped", &shipped)?,
        parcels: list("parcels", parcels, read_parcel)?,
        completes,
        extra: extra(fields),
    };
    record.facets.insert("shipment".into(), json(&shipment));
    Ok(record)
}

fn read_parcel(parcel: ws::Parcel) -> Read<Parcel> {
    let ws::Parcel { number, carrier, tracking, tracking_url, weight_kg, lines } = parcel;
    Ok(Parcel {
        number,
        carrier: filled(carrier),
        tracking: filled(tracking),
        tracking_url: filled(tracking_url),
        weight_kg: decimal_opt("weight-kg", weight_kg)?,
        lines: list("lines", lines, |ws::AmountOf { line, quantity }| {
            Ok(AmountOf { line, quantity: decimal("quantity", &quantity)? })
        })?,
    })
}

pub(super) fn write(record: &Record) -> Read<ws::Shipment> {
    let Some(order) = &record.of else { return invalid("order", "a shipment belongs to an order") };
    let shipment: Shipment = required(&record.facets, "shipment")?;
    let parcels = shipment.parcels.into_iter().map(|parcel| ws::Parcel {
        number: parcel.number,
        carrier: parcel.carrier,
        tracking: parcel.tracking,
        tracking_url: parcel.tracking_url,
        weight_kg: parcel.weight_kg.map(to_decimal),
        lines: to_amounts(parcel.lines),
    });
    Ok(ws::Shipment {
        head: to_head(record),
        order: to_link(order),
        shipped: to_timestamp(shipment.shipped),
        parcels: parcels.collect(),
        completes: shipment.completes,
        extra: to_extra(&shipment.extra),
    })
}

#[cfg(test)]
mod tests;
