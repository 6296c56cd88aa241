//! The rows of the table: the measurement, the goal, and whether it was met.

use serde_json::{Value, json};

use crate::svg::{self, Curves};

/// The goal for a number.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// No goal: the row states a fact, such as a ratio to a peer that even the limit could not
    /// reach everywhere.
    Fact,
}

impl Goal {
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(goal) => value <= goal,
            Self::AtLeast(goal) => value >= goal,
            Self::Fact => true,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtMost(goal) => format!("at most {}{unit}", number(goal)),
            Self::AtLeast(goal) => format!("at least {}{unit}", number(goal)),
            Self::Fact => "-".to_owned(),
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    pub part: &'static str,
    pub name: String,
    pub measured: f64,
    pub unit: &'static str,
    pub goal: Goal,
    /// The absolute numbers behind a ratio, or where the number comes from.
    pub detail: String,
}

/// Formats a number as an integer, or with three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Formats a time in a suitable unit.
pub fn time(ns: f64) -> String {
    match ns {
        ..1e3 => format!("{} ns", number(ns)),
        ..1e6 => format!("{} µs", number(ns / 1e3)),
        ..1e9 => format!("{} ms", number(ns / 1e6)),
        _ => format!("{} s", number(ns / 1e9)),
    }
}

impl Row {
    /// Formats a ratio.
    pub fn ratio(
        part: &'static str,
        name: String,
        measured: f64,
        goal: Goal,
        detail: String,
    ) -> Self {
        Self {
            part,
            name,
            measured,
            unit: "x",
            goal,
            detail,
        }
    }

    /// A row with the exponent of the project's curve, the range that it was measured over, and the
    /// exponents of the other curves.
    pub fn growth(
        title: &str,
        x_text: fn(f64) -> String,
        y_text: fn(f64) -> String,
        curves: &Curves,
    ) -> Option<Self> {
        let (_, points) = curves.iter().find(|(name, _)| name == "ours")?;
        let ((x, y), (last_x, last_y)) = (points.first()?, points.last()?);
        let mut detail = format!(
            "{} at {}, {} at {}",
            y_text(*y),
            x_text(*x),
            y_text(*last_y),
            x_text(*last_x)
        );
        for (name, points) in curves.iter().filter(|(name, _)| name != "ours") {
            if let Some(exponent) = svg::exponent_text(points) {
                detail += &format!("; {name} {exponent}");
            }
        }
        Some(Self {
            part: "curves",
            name: format!("exponent of growth: {title}"),
            measured: svg::exponent(points)?,
            unit: "",
            goal: Goal::Fact,
            detail,
        })
    }

    /// A row that cannot be measured because something is missing on this machine.
    pub fn not_measured(
        part: &'static str,
        name: String,
        unit: &'static str,
        goal: Goal,
        why: &str,
    ) -> Self {
        Self {
            part,
            name,
            measured: f64::NAN,
            unit,
            goal,
            detail: why.to_owned(),
        }
    }

    /// Whether the row has a number.
    pub fn is_measured(&self) -> bool {
        !self.measured.is_nan()
    }

    pub fn verdict(&self) -> &'static str {
        match self.goal {
            _ if !self.is_measured() => "not measured",
            Goal::Fact => "fact",
            goal if goal.is_met(self.measured) => "ok",
            _ => "short",
        }
    }

    pub fn measured(&self) -> String {
        match self.is_measured() {
            true => format!("{}{}", number(self.measured), self.unit),
            false => "-".to_owned(),
        }
    }

    pub fn goal(&self) -> String {
        self.goal.text(self.unit)
    }

    pub fn print(&self) {
        let (measured, goal) = (self.measured(), self.goal());
        println!(
            "{:<62} {measured:>12}   {goal:<20} {:<6} {}",
            self.name,
            self.verdict(),
            self.detail
        );
    }

    pub fn json(&self) -> Value {
        json!({
            "part": self.part, "name": self.name, "measured": self.measured, "unit": self.unit,
            "goal": self.goal(), "verdict": self.verdict(), "detail": self.detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_include_their_bounds() {
        assert!(Goal::AtMost(1.3).is_met(1.3) && !Goal::AtMost(1.3).is_met(1.31));
        assert!(Goal::AtLeast(5.0).is_met(5.0) && !Goal::AtLeast(5.0).is_met(4.99));
        assert!(Goal::Fact.is_met(f64::MAX));
    }

    #[test]
    fn a_row_without_a_number_says_why_and_is_not_ok() {
        let goal = Goal::AtLeast(20.0);
        let row = Row::not_measured("runtime", "row".to_owned(), "x", goal, "no network");
        assert_eq!(
            (row.verdict(), row.measured().as_str(), row.detail.as_str()),
            ("not measured", "-", "no network")
        );
        let fact = Row {
            goal: Goal::Fact,
            ..row
        };
        assert_eq!(fact.verdict(), "not measured");
    }

    #[test]
    fn a_growth_over_a_single_point_has_no_exponent() {
        let curve = |name: &str, ys: &[f64]| {
            let points = ys
                .iter()
                .enumerate()
                .map(|(at, &y)| (10_f64.powi(at as i32), y));
            (name.to_owned(), points.collect())
        };
        let curves = vec![
            curve("ours", &[1.0, 10.0, 100.0]),
            curve("flat", &[5.0, 5.0, 4.999]),
            curve("one", &[3.0]),
        ];
        let row = Row::growth("title", number, number, &curves).unwrap();
        assert_eq!(row.detail, "1 at 1, 100 at 100; flat 0.00");
    }

    #[test]
    fn numbers_are_rounded_to_three_digits() {
        let texts = [0.0, 4.0, 1.234, 12.345, 1234.5].map(number);
        assert_eq!(texts, ["0", "4", "1.23", "12.3", "1234"]);
    }
}
