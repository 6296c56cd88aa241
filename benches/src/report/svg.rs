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
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;

/// Colours that people with colour blindness can distinguish, and dashes for print.
const STYLES: [(&str, &str); 4] = [
    ("#0072b2", ""),
    ("#555555", "2 3"),
    ("#d55e00", "8 3"),
    ("#cc79a7", "8 3 2 3"),
];

/// A logarithmic axis: the position of a value between the smallest and the largest.
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

    /// The powers of ten on the axis, and both ends.
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

/// Zero has no place on a logarithmic axis: it is shown at one half.
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
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"15\">{}</text>\n",
            self.title
        );
        for tick in x.ticks() {
            let (at, text) = (at_x(tick), (self.x_text)(tick));
            line(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM), "#dddddd");
            self::text(&mut svg, (at, HEIGHT - BOTTOM + 18.0), "middle", &text);
        }
        for tick in y.ticks() {
            let (at, text) = (at_y(tick), (self.y_text)(tick));
            line(&mut svg, (LEFT, at), (WIDTH - RIGHT, at), "#dddddd");
            self::text(&mut svg, (LEFT - 6.0, at + 4.0), "end", &text);
        }
        text(
            &mut svg,
            ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16.0),
            "middle",
            self.x,
        );
        text(&mut svg, (8.0, TOP - 10.0), "start", self.y);
        for (index, (name, points)) in self.curves.iter().enumerate() {
            let (colour, dashes) = STYLES[index % STYLES.len()];
            let path: Vec<String> = points
                .iter()
                .map(|(x, y)| format!("{:.1},{:.1}", at_x(*x), at_y(*y)))
                .collect();
            let stroke =
                format!("stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"");
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<polyline fill=\"none\" {stroke} points=\"{}\"/>",
                path.join(" ")
            );
            let (x, y) = (LEFT + 130.0 + 190.0 * index as f64, TOP - 10.0);
            let _ = writeln!(
                svg,
                "<line x1=\"{x}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {stroke}/>",
                y - 4.0,
                x + 30.0,
                y - 4.0
            );
            text(&mut svg, (x + 36.0, y), "start", name);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"/>",
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
        assert!(svg.contains("points=\"80.0,360.0 740.0,50.0\""), "{svg}");
    }
}
