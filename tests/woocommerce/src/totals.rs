//! What an order costs: net lines, taxes by country and class, coupons, sums.
//!
//! Lines keep six decimals of the net amount, as a shop with gross prices needs; taxes are rounded per
//! line, the order once at the end.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    money,
    state::{Body, State},
};

/// A rate that applies to a line.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    pub(crate) id: u64,
    pub(crate) percent: Decimal,
    shipping: bool,
}

/// The rates of a country for a tax class; none where the shop has none for it.
pub(crate) fn rates(state: &State, country: &str, class: &str) -> Vec<Rate> {
    let class = if class.is_empty() { "standard" } else { class };
    state
        .taxes
        .values()
        .filter(|tax| (tax.text("country") == country || tax.text("country").is_empty()) && tax.text("class") == class)
        .map(|tax| Rate {
            id: tax.id,
            percent: money::read(tax.text("rate")).unwrap_or_default(),
            shipping: tax.body["shipping"] == true,
        })
        .collect()
}

/// The net amount of a shop price.
pub(crate) fn net(state: &State, price: Decimal, class: &str, taxable: bool) -> Decimal {
    if !state.shop.prices_include_tax || !taxable {
        return price;
    }
    let percent: Decimal = rates(state, &state.shop.country, class).iter().map(|rate| rate.percent).sum();
    money::round(price / (Decimal::ONE + percent / Decimal::ONE_HUNDRED), 6)
}

/// The country whose taxes an order bears.
pub(crate) fn country(state: &State, order: &Body) -> String {
    for address in ["shipping", "billing"] {
        if let Some(country) = order.get(address).and_then(|a| a["country"].as_str()).filter(|c| !c.is_empty()) {
            return country.to_owned();
        }
    }
    state.shop.country.clone()
}

fn amount(row: &Value, name: &str) -> Decimal {
    row[name].as_str().and_then(money::read).unwrap_or_default()
}

/// Spreads the coupons of an order over its lines: `total` becomes what is left of `subtotal`.
pub(crate) fn apply_coupons(state: &State, order: &mut Body) {
    let codes: Vec<String> =
        rows(order, "coupon_lines").iter().filter_map(|row| row["code"].as_str().map(str::to_owned)).collect();
    let country = country(state, order);
    let mut lines = rows(order, "line_items");
    for line in &mut lines {
        line["total"] = line["subtotal"].clone();
    }
    let mut coupons = rows(order, "coupon_lines");
    for (code, coupon_line) in codes.iter().zip(&mut coupons) {
        let Some(coupon) = state.coupons.values().find(|c| c.text("code") == code) else {
            continue;
        };
        let value = money::read(coupon.text("amount")).unwrap_or_default();
        let gross = |line: &Value| {
            let percent: Decimal =
                rates(state, &country, line["tax_class"].as_str().unwrap_or_default()).iter().map(|r| r.percent).sum();
            amount(line, "total") * (Decimal::ONE + percent / Decimal::ONE_HUNDRED)
        };
        let whole: Decimal = lines.iter().map(&gross).sum();
        let share = if coupon.text("discount_type") == "percent" {
            value / Decimal::ONE_HUNDRED
        } else if whole.is_zero() {
            Decimal::ZERO
        } else {
            (value / whole).min(Decimal::ONE)
        };
        let mut discount = Decimal::ZERO;
        let mut discount_gross = Decimal::ZERO;
        for line in &mut lines {
            let before = amount(line, "total");
            let gross_before = gross(line);
            let after = money::round(before * (Decimal::ONE - share), 6);
            line["total"] = after.to_string().into();
            discount += before - after;
            discount_gross += gross_before - gross(line);
        }
        coupon_line["discount"] = money::format(discount, 2).into();
        coupon_line["discount_tax"] = money::format(discount_gross - discount, 2).into();
        coupon_line["discount_type"] = coupon.text("discount_type").into();
        coupon_line["nominal_amount"] = json!(value.to_string().parse::<f64>().unwrap_or_default());
        coupon_line["free_shipping"] = false.into();
    }
    order.insert("line_items".to_owned(), lines.into());
    order.insert("coupon_lines".to_owned(), coupons.into());
}

pub(crate) fn rows(order: &Body, name: &str) -> Vec<Value> {
    order.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Taxes of every line, the tax lines, and all sums of the order.
pub(crate) fn calculate(state: &State, order: &mut Body) {
    let country = country(state, order);
    let mut per_rate: Vec<(u64, Decimal, Decimal)> = Vec::new();
    let mut sums = Sums::default();
    for list in ["line_items", "shipping_lines", "fee_lines"] {
        let mut lines = rows(order, list);
        for line in &mut lines {
            let class = line["tax_class"].as_str().unwrap_or_default().to_owned();
            let taxable = line["tax_status"].as_str() != Some("none");
            let shipping = list == "shipping_lines";
            let rates: Vec<Rate> = if taxable { rates(state, &country, &class) } else { Vec::new() };
            let total = amount(line, "total");
            let subtotal = if list == "line_items" { amount(line, "subtotal") } else { total };
            let (mut tax, mut subtotal_tax, mut taxes) = (Decimal::ZERO, Decimal::ZERO, Vec::new());
            for rate in rates.iter().filter(|rate| !shipping || rate.shipping) {
                let of = |net: Decimal| money::round(net * rate.percent / Decimal::ONE_HUNDRED, 2);
                let (on_total, on_subtotal) = (of(total), of(subtotal));
                tax += on_total;
                subtotal_tax += on_subtotal;
                taxes.push(json!({"id": rate.id, "total": on_total.to_string(), "subtotal": on_subtotal.to_string()}));
                let at = per_rate.iter().position(|(id, ..)| *id == rate.id).unwrap_or_else(|| {
                    per_rate.push((rate.id, Decimal::ZERO, Decimal::ZERO));
                    per_rate.len() - 1
                });
                if shipping { per_rate[at].2 += on_total } else { per_rate[at].1 += on_total }
            }
            line["taxes"] = taxes.into();
            line["total_tax"] = tax.to_string().into();
            if list == "line_items" {
                line["subtotal_tax"] = subtotal_tax.to_string().into();
                sums.discount += subtotal - total;
                sums.discount_tax += subtotal_tax - tax;
            }
            if shipping {
                sums.shipping += total;
                sums.shipping_tax += tax;
            } else {
                sums.cart_tax += tax;
            }
            sums.total += total + tax;
        }
        order.insert(list.to_owned(), lines.into());
    }
    let tax_lines: Vec<Value> = per_rate.iter().filter_map(|(id, tax, shipping)| {
        let rate = state.taxes.get(id)?;
        let percent = money::read(rate.text("rate")).unwrap_or_default().normalize();
        Some(json!({
            "id": id + 9000, "rate_code": format!("{}-{}-{id}", rate.text("country"), rate.text("name").to_uppercase()),
            "rate_id": id, "label": rate.text("name"), "compound": false, "tax_total": tax.to_string(),
            "shipping_tax_total": shipping.to_string(), "meta_data": [],
            "rate_percent": serde_json::from_str::<Value>(&percent.to_string()).unwrap_or_default(),
        }))
    }).collect();
    order.insert("tax_lines".to_owned(), tax_lines.into());
    for (name, sum) in [
        ("discount_total", sums.discount),
        ("discount_tax", sums.discount_tax),
        ("shipping_total", sums.shipping),
        ("shipping_tax", sums.shipping_tax),
        ("cart_tax", sums.cart_tax),
        ("total_tax", sums.cart_tax + sums.shipping_tax),
        ("total", money::round(sums.total, 2)),
    ] {
        order.insert(name.to_owned(), sum.to_string().into());
    }
}

#[derive(Default)]
struct Sums {
    discount: Decimal,
    discount_tax: Decimal,
    shipping: Decimal,
    shipping_tax: Decimal,
    cart_tax: Decimal,
    total: Decimal,
}
