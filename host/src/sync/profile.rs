//! How an order of one platform is written on another: mapped values, articles for what is no article, and amounts in
//! the other's basis that add up to what the buyer paid.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::model::Link;
use crate::model::catalog::TaxBasis;
use crate::model::policy::OrderProfile;
use crate::model::sales::{Address, Line, LineKind, PaymentFacet, Placed, Tax};

/// What the target is like.
pub struct Target<'a> {
    /// Its order creation profile.
    pub profile: &'a OrderProfile,
    /// Basis of its orders.
    pub basis: TaxBasis,
    /// Currencies that it keeps orders in; empty: not known, so not checked.
    pub currencies: &'a [String],
    /// Its link to the article with a SKU.
    pub article: &'a dyn Fn(&str) -> Link,
}

/// Why an order cannot be written as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A person has to map the value first.
    #[error("{table} `{value}` is not mapped")]
    Unmapped {
        /// Map of the profile: `payment`, `shipping`, `tax`.
        table: &'static str,
        /// Value without an entry.
        value: String,
    },
    /// No conversion of money is done here.
    #[error("the order is in {order}, the target keeps orders in {target}")]
    Currency {
        /// Of the order.
        order: String,
        /// Of the target.
        target: String,
    },
    /// What happened names a line of the order, and which one that is on the target nobody said.
    #[error("which line of the order is meant by line `{line}` is not known")]
    Line {
        /// As the sender names it.
        line: String,
    },
    /// The amounts do not add up, by more than rounding explains.
    #[error("the lines add up to {computed}, the buyer pays {total}: {difference} is more than rounding explains")]
    Total {
        /// As the target would compute it.
        computed: Decimal,
        /// What the buyer pays.
        total: Decimal,
        /// Between the two.
        difference: Decimal,
    },
}

/// Most minor units of the currency that a rounding line may carry.
const MOST_ROUNDING: i64 = 5;

/// Decimals of the currency's minor unit (ISO 4217).
#[must_use]
pub fn minor_units(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Rounds to so many decimals, halves away from zero.
#[must_use]
pub fn round(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// Adds (or takes out) tax of so many percent, unrounded.
#[must_use]
pub fn convert(amount: Decimal, from: TaxBasis, to: TaxBasis, percent: Decimal) -> Decimal {
    let factor = Decimal::ONE + percent / Decimal::ONE_HUNDRED;
    match (from, to) {
        (TaxBasis::Net, TaxBasis::Gross) => amount * factor,
        (TaxBasis::Gross, TaxBasis::Net) => amount / factor,
        (TaxBasis::Net, TaxBasis::Net) | (TaxBasis::Gross, TaxBasis::Gross) => amount,
    }
}

/// Looks a value up in a map; `*` stands for any.
fn mapped(map: &BTreeMap<String, String>, table: &'static str, value: &str) -> Result<String, Misfit> {
    map.get(value).or_else(|| map.get("*")).cloned().ok_or_else(|| Misfit::Unmapped { table, value: value.to_owned() })
}

/// The payments with the target's methods.
///
/// # Errors
/// [`Misfit::Unmapped`] for every method without an entry.
pub fn payment(target: &Target<'_>, mut payment: PaymentFacet) -> Result<PaymentFacet, Vec<Misfit>> {
    let mut misfits = Vec::new();
    for one in &mut payment.payments {
        match mapped(&target.profile.payment, "payment", &one.method) {
            Ok(method) => one.method = method,
            Err(misfit) => misfits.push(misfit),
        }
    }
    if misfits.is_empty() { Ok(payment) } else { Err(misfits) }
}

/// The order as the target shall have it. Links of article lines and of the customer are left alone.
///
/// # Errors
/// Everything that does not fit, at once, so that a person sees it all.
pub fn placed(target: &Target<'_>, mut placed: Placed) -> Result<Placed, Vec<Misfit>> {
    let mut misfits = Vec::new();
    if !target.currencies.is_empty() && !target.currencies.contains(&placed.currency) {
        misfits.push(Misfit::Currency { order: placed.currency.clone(), target: target.currencies.join(", ") });
    }
    if let Some(delivery) = &mut placed.delivery {
        match mapped(&target.profile.shipping, "shipping", &delivery.method) {
            Ok(method) => delivery.method = method,
            Err(misfit) => misfits.push(misfit),
        }
    }
    let country = |address: &mut Address| {
        if let Some(country) = target.profile.country.get(&address.country) {
            address.country.clone_from(country);
        }
    };
    country(&mut placed.billing);
    placed.shipping.iter_mut().for_each(country);
    for line in &mut placed.lines {
        line.tax_code = None;
        if let (false, Some(percent)) = (target.profile.tax.is_empty(), line.tax_percent) {
            match mapped(&target.profile.tax, "tax", &percent.normalize().to_string()) {
                Ok(code) => line.tax_code = Some(code),
                Err(misfit) => misfits.push(misfit),
            }
        }
        if line.variant.is_none()
            && let Some(sku) = article_for(target.profile, line.kind)
        {
            line.variant = Some((target.article)(sku));
        }
    }
    amounts(target, &mut placed).unwrap_or_else(|misfit| misfits.push(misfit));
    misfits.dedup();
    if misfits.is_empty() { Ok(placed) } else { Err(misfits) }
}

fn article_for(profile: &OrderProfile, kind: LineKind) -> Option<&str> {
    match kind {
        LineKind::Shipping => profile.shipping_sku.as_deref(),
        LineKind::Discount | LineKind::GiftCard => profile.discount_sku.as_deref(),
        LineKind::Fee => profile.fee_sku.as_deref(),
        LineKind::Rounding => profile.rounding_sku.as_deref(),
        LineKind::Product | LineKind::Text => None,
    }
}

/// Converts the lines, and adds the rounding line that makes the target's own total the order's.
fn amounts(target: &Target<'_>, placed: &mut Placed) -> Result<(), Misfit> {
    let decimals = minor_units(&placed.currency);
    let unit = Decimal::new(1, decimals);
    let mut rates: BTreeMap<Decimal, Vec<usize>> = BTreeMap::new();
    for (n, line) in placed.lines.iter().enumerate().filter(|(_, line)| line.kind != LineKind::Text) {
        rates.entry(line.tax_percent.unwrap_or_default().normalize()).or_default().push(n);
    }
    let (from, to) = (placed.basis, target.basis);
    let mut computed = Decimal::ZERO;
    placed.taxes.clear();
    for (&percent, lines) in &rates {
        let sum: Decimal = lines.iter().map(|&n| placed.lines[n].total).sum();
        let wanted = group_total(sum, from, to, percent, decimals);
        share_out(&mut placed.lines, lines, (from, to), wanted, percent, decimals);
        let net = match to {
            TaxBasis::Net => wanted,
            TaxBasis::Gross => round(convert(wanted, TaxBasis::Gross, TaxBasis::Net, percent), decimals),
        };
        let tax = match to {
            TaxBasis::Net => round(net * percent / Decimal::ONE_HUNDRED, decimals),
            TaxBasis::Gross => wanted - net,
        };
        computed += net + tax;
        if !percent.is_zero() {
            placed.taxes.push(Tax { percent, base: net, amount: tax });
        }
    }
    placed.basis = to;
    for line in placed.lines.iter_mut().filter(|line| line.kind != LineKind::Text) {
        line.unit_price = unit_price(line.total, line.quantity, line.unit_price, decimals);
    }
    let difference = placed.total - computed;
    if difference.is_zero() {
        return Ok(());
    }
    let places = rates.values().map(Vec::len).sum::<usize>() + rates.len();
    let most = unit * Decimal::from(MOST_ROUNDING.min(i64::try_from(places).unwrap_or(MOST_ROUNDING)));
    if difference.abs() > most {
        return Err(Misfit::Total { computed, total: placed.total, difference });
    }
    placed.lines.push(Line {
        id: "rounding".into(),
        kind: LineKind::Rounding,
        variant: target.profile.rounding_sku.as_deref().map(|sku| (target.article)(sku)),
        name: "Rounding".into(),
        quantity: Decimal::ONE,
        unit_price: difference,
        total: difference,
        tax_percent: None,
        tax: None,
        tax_code: None,
        extra: Vec::new(),
    });
    Ok(())
}

/// Sum of a rate's lines in the other basis. Going to net, the sum is taken from which the tax on the document gives the
/// gross sum again, where there is one.
fn group_total(sum: Decimal, from: TaxBasis, to: TaxBasis, percent: Decimal, decimals: u32) -> Decimal {
    let near = round(convert(sum, from, to, percent), decimals);
    if (from, to) != (TaxBasis::Gross, TaxBasis::Net) {
        return near;
    }
    let unit = Decimal::new(1, decimals);
    let gross = |net: Decimal| net + round(net * percent / Decimal::ONE_HUNDRED, decimals);
    [near, near - unit, near + unit].into_iter().find(|net| gross(*net) == sum).unwrap_or(near)
}

/// Gives the lines their amounts in the other basis so that these add up: what rounding leaves over goes unit by unit to
/// the largest lines.
fn share_out(
    all: &mut [Line],
    lines: &[usize],
    (from, to): (TaxBasis, TaxBasis),
    wanted: Decimal,
    percent: Decimal,
    decimals: u32,
) {
    if from == to {
        return;
    }
    let unit = Decimal::new(1, decimals);
    let mut by_size = lines.to_vec();
    by_size.sort_by_key(|&n| std::cmp::Reverse(all[n].total.abs()));
    let before: Vec<Decimal> = lines.iter().map(|&n| all[n].total).collect();
    for &n in lines {
        let line = &mut all[n];
        let tax = line.tax.filter(|_| line.tax_percent.is_some());
        line.total = match (from, tax) {
            (TaxBasis::Gross, Some(tax)) => line.total - tax,
            (TaxBasis::Net, Some(tax)) => line.total + tax,
            _ => round(convert(line.total, from, to, percent), decimals),
        };
    }
    let mut left = wanted - lines.iter().map(|&n| all[n].total).sum::<Decimal>();
    let step = if left.is_sign_negative() { -unit } else { unit };
    for &n in by_size.iter().cycle() {
        if left.abs() < unit {
            break;
        }
        all[n].total += step;
        left -= step;
    }
    if let Some(&largest) = by_size.first() {
        all[largest].total += left;
    }
    for (&n, before) in lines.iter().zip(before) {
        all[n].tax = all[n].tax_percent.map(|_| (before - all[n].total).abs());
    }
}

/// The price of one with the fewest decimals from which the target computes the line's total again; the platform's own
/// where that does.
fn unit_price(total: Decimal, quantity: Decimal, stated: Decimal, decimals: u32) -> Decimal {
    if quantity.is_zero() {
        return Decimal::ZERO;
    }
    let exact = total / quantity;
    if round(stated * quantity, decimals) == total && stated.scale() <= 4 {
        return stated;
    }
    (decimals..=9)
        .map(|places| round(exact, places))
        .find(|price| round(*price * quantity, decimals) == total)
        .unwrap_or(exact)
}

#[cfg(test)]
mod tests;
