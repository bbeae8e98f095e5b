//! What a measurement says.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// How much.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: &'static str,
    /// What it is compared with, if with anything.
    pub(crate) against: Option<&'static str>,
    /// This figure as a multiple of the other side's.
    pub(crate) ratio: Option<f64>,
    /// What it shall be.
    pub(crate) target: Option<String>,
    /// Whether it is.
    pub(crate) holds: Option<bool>,
}

impl Figure {
    /// A figure that stands alone.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, against: None, ratio: None, target: None, holds: None }
    }

    /// It shall not be greater.
    pub(crate) fn at_most(self, most: f64) -> Self {
        let (target, holds) = (Some(format!("<= {most} {}", self.unit)), Some(self.value <= most));
        Self { target, holds, ..self }
    }

    /// Next to the other side's figure, with no target.
    pub(crate) fn beside(self, against: &'static str, other: f64) -> Self {
        let ratio = self.value / other;
        Self { against: Some(against), ratio: Some(ratio), ..self }
    }

    /// Compared with the other side's figure, of which it shall be at least so many times.
    pub(crate) fn at_least_times(self, against: &'static str, other: f64, least: f64) -> Self {
        let ratio = self.value / other;
        let (target, holds) = (Some(format!(">= {least} times")), Some(ratio >= least));
        Self { against: Some(against), ratio: Some(ratio), target, holds, ..self }
    }

    /// Compared with the other side's figure, of which it shall be at most this part.
    pub(crate) fn at_most_part(self, against: &'static str, other: f64, most: f64) -> Self {
        let ratio = self.value / other;
        let (target, holds) = (Some(format!("<= {most} times")), Some(ratio <= most));
        Self { against: Some(against), ratio: Some(ratio), target, holds, ..self }
    }

    /// As an object on a line.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).expect("a figure is plain JSON")
    }

    /// While the table is not finished.
    pub(crate) fn words(&self) -> String {
        format!("{}: {} {}", self.name, number(self.value), self.unit)
    }
}

/// All figures.
pub(crate) fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["name", "value", "unit", "against", "ratio", "target", "holds"]);
    for figure in figures {
        table.add_row([
            figure.name.clone(),
            number(figure.value),
            figure.unit.to_owned(),
            figure.against.unwrap_or_default().to_owned(),
            figure.ratio.map(number).unwrap_or_default(),
            figure.target.clone().unwrap_or_default(),
            figure.holds.map(|holds| if holds { "yes" } else { "NO" }.to_owned()).unwrap_or_default(),
        ]);
    }
    for column in [1, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The value below which this part of the values lies.
pub(crate) fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a list")]
    let at = ((values.len().saturating_sub(1)) as f64 * part).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_missed_where_it_is_missed() {
        let half = Figure::new("x", 50.0, "records/s");
        assert_eq!(half.clone().at_least_times("floor", 100.0, 0.4).holds, Some(true));
        assert_eq!(half.clone().at_least_times("floor", 200.0, 0.4).holds, Some(false));
        assert_eq!(half.clone().at_most(49.9).holds, Some(false));
        assert_eq!(half.at_most_part("push", 1_000.0, 0.03).holds, Some(false));
    }

    #[test]
    fn percentiles_are_of_the_sorted_values() {
        let mut values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.5), 50.0);
        assert_eq!(percentile(&mut values, 0.99), 99.0);
    }
}
