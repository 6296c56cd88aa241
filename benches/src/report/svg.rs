//! Curves on logarithmic axes, as SVG.

use std::fmt::Write;

/// Curves: name, and points from left to right.
pub type Curves = Vec<(String, Vec<(f64, f64)>)>;

/// The contents of a chart.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    /// Formats the numbers of each axis.
    pub x_text: fn(f64) -> String,
    pub y_text: fn(f64) -> String,
    pub curves: &'a Curves,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 60.0;

/// Colors that people with color blindness can distinguish, in light and dark, and dashes for print.
const STYLES: [(&str, &str, &str); 6] = [
    ("#0072b2", "#56b4e9", ""),
    ("#555555", "#aaaaaa", "2 3"),
    ("#d55e00", "#e69f00", "8 3"),
    ("#cc79a7", "#cc79a7", "8 3 2 3"),
    ("#009e73", "#00c896", "4 2"),
    ("#8a6d00", "#f0e442", "1 2"),
];

/// The number of entries in a row of the legend.
const PER_ROW: usize = 3;

/// The colors as classes, in the reader's preferred color scheme.
fn style() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    for (index, (on_light, on_dark, dashes)) in STYLES.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            light,
            ".c{index}{{stroke:{on_light};stroke-width:2;stroke-dasharray:{dashes};fill:none}}"
        );
        let _ = write!(dark, ".c{index}{{stroke:{on_dark}}}");
    }
    format!(
        "<style>text{{fill:#222}}.page{{fill:#fff}}.grid{{stroke:#ddd}}{light}\
         @media (prefers-color-scheme:dark){{text{{fill:#ddd}}.page{{fill:#0d1117}}\
         .grid{{stroke:#333}}{dark}}}</style>\n"
    )
}

/// Returns the exponent of growth: the slope on logarithmic axes over the upper half of the points.
pub fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let upper = points.get(points.len() / 2..)?;
    if upper.len() < 2 {
        return None;
    }
    let count = upper.len() as f64;
    let (xs, ys): (Vec<f64>, Vec<f64>) = upper.iter().map(|(x, y)| (log(*x), log(*y))).unzip();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (x, y) = (mean(&xs), mean(&ys));
    let both: f64 = xs.iter().zip(&ys).map(|(a, b)| (a - x) * (b - y)).sum();
    let square: f64 = xs.iter().map(|a| (a - x) * (a - x)).sum();
    (square > 0.0).then_some(both / square)
}

/// A logarithmic axis, which places a value between the smallest and the largest.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            (low, high) = (low.min(log(value)), high.max(log(value)));
        }
        if high - low < 1e-9 {
            high = low + 1.0;
        }
        Self { low, high }
    }

    fn share(&self, value: f64) -> f64 {
        (log(value) - self.low) / (self.high - self.low)
    }

    /// Returns the powers of ten on the axis, and both ends.
    fn ticks(&self) -> Vec<f64> {
        let (low, high) = (self.low.floor() as i32, self.high.ceil() as i32);
        let powers = (low..=high).flat_map(|power| {
            let steps: &[f64] = if high - low > 3 {
                &[1.0]
            } else {
                &[1.0, 2.0, 5.0]
            };
            steps.iter().map(move |step| step * 10_f64.powi(power))
        });
        powers
            .filter(|tick| (-1e-9..=1.0 + 1e-9).contains(&self.share(*tick)))
            .collect()
    }
}

/// Zero has no place on a logarithmic axis, so it is shown as one half.
fn log(value: f64) -> f64 {
    value.max(0.5).log10()
}

impl Chart<'_> {
    pub fn svg(&self) -> String {
        let points = || self.curves.iter().flat_map(|(_, points)| points.iter());
        let x = Axis::of(points().map(|point| point.0));
        let y = Axis::of(points().map(|point| point.1));
        let at_x = |value: f64| LEFT + x.share(value) * (WIDTH - LEFT - RIGHT);
        let at_y = |value: f64| HEIGHT - BOTTOM - y.share(value) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             {}<rect width=\"100%\" height=\"100%\" class=\"page\"/>\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"15\">{}</text>\n",
            style(),
            self.title
        );
        for tick in x.ticks() {
            let (at, text) = (at_x(tick), (self.x_text)(tick));
            line(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM));
            self::text(&mut svg, (at, HEIGHT - BOTTOM + 18.0), "middle", &text);
        }
        for tick in y.ticks() {
            let (at, text) = (at_y(tick), (self.y_text)(tick));
            line(&mut svg, (LEFT, at), (WIDTH - RIGHT, at));
            self::text(&mut svg, (LEFT - 6.0, at + 4.0), "end", &text);
        }
        text(
            &mut svg,
            ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16.0),
            "middle",
            self.x,
        );
        text(&mut svg, (8.0, TOP - 8.0), "start", self.y);
        for (index, (name, points)) in self.curves.iter().enumerate() {
            let class = format!("c{}", index % STYLES.len());
            let path: Vec<String> = points
                .iter()
                .map(|(x, y)| format!("{:.1},{:.1}", at_x(*x), at_y(*y)))
                .collect();
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<polyline class=\"{class}\" points=\"{}\"/>",
                path.join(" ")
            );
            let x = LEFT + 230.0 * (index % PER_ROW) as f64;
            let y = 40.0 + 18.0 * (index / PER_ROW) as f64;
            let _ = writeln!(
                svg,
                "<line x1=\"{x}\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\" class=\"{class}\"/>",
                y - 4.0,
                x + 30.0
            );
            let grows = exponent_text(points).map_or(String::new(), |slope| format!(": x^{slope}"));
            text(&mut svg, (x + 36.0, y), "start", &format!("{name}{grows}"));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Formats the exponent with two decimals, and zero without a sign.
pub fn exponent_text(points: &[(f64, f64)]) -> Option<String> {
    let hundredths = (exponent(points)? * 100.0).round();
    Some(format!("{:.2}", hundredths / 100.0 + 0.0))
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"grid\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let (x, y) = at;
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_curve_lie_on_the_ends_of_the_axes() {
        let curves = vec![("a".to_owned(), vec![(1.0, 10.0), (1000.0, 100.0)])];
        let text = |value: f64| value.to_string();
        let chart = Chart {
            title: "t",
            x: "x",
            y: "y",
            x_text: text,
            y_text: text,
            curves: &curves,
        };
        let svg = chart.svg();
        assert!(svg.contains("points=\"80.0,360.0 740.0,80.0\""), "{svg}");
    }

    #[test]
    fn the_exponent_is_that_of_the_upper_half() {
        let points: Vec<(f64, f64)> = [1.0, 10.0, 100.0, 1000.0, 10_000.0]
            .map(|x: f64| (x, if x < 100.0 { 7e4 } else { 7.0 * x * x }))
            .to_vec();
        let slope = exponent(&points).unwrap();
        assert!((slope - 2.0).abs() < 1e-9, "{slope}");
        assert_eq!(exponent(&points[..1]), None);
    }

    #[test]
    fn a_chart_has_colors_for_light_and_dark() {
        let style = style();
        let (light, dark) = style.split_once("prefers-color-scheme:dark").unwrap();
        for index in 0..STYLES.len() {
            let class = format!(".c{index}{{stroke:");
            assert!(light.contains(&class) && dark.contains(&class), "{class}");
        }
    }
}
