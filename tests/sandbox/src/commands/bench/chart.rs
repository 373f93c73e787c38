//! Line charts, as SVG that follows the reader's light or dark theme.

use std::path::Path;

use plotters::coord::combinators::IntoLogRange as _;
use plotters::prelude::*;
use wbstore_sandbox::Error;

/// One line of a chart: its name, and its points from left to right.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// A chart with two logarithmic axes.
#[derive(Debug)]
pub struct Chart<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    pub lines: &'a [Line],
}

/// Told apart without red against green, on white and on black.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(204, 121, 167),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
];
/// Readable on both themes.
const INK: RGBColor = RGBColor(125, 130, 138);

impl Chart<'_> {
    /// Writes it to `file`.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        self.draw(file).map_err(|error| Error::new(format!("cannot draw {}: {error}", file.display())))
    }

    fn draw(&self, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let range = |values: &mut dyn Iterator<Item = f64>| {
            let (low, high) =
                values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
            (low * 0.8)..(high * 1.3)
        };
        let (x, y) = (range(&mut all().map(|point| point.0)), range(&mut all().map(|point| point.1)));
        let area = SVGBackend::new(file, (760, 420)).into_drawing_area();
        let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, text(17))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(x.log_scale(), y.log_scale())?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(INK)
            .x_desc(self.x)
            .y_desc(self.y)
            .label_style(text(13))
            .axis_desc_style(text(14))
            .x_label_formatter(&|value| plain(*value))
            .y_label_formatter(&|value| plain(*value))
            .draw()?;
        for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(2);
            let key = move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], style);
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))?
                .label(&line.name)
                .legend(key);
            chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        }
        let mut labels = chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperLeft).label_font(text(13)).draw()?;
        area.present()?;
        Ok(())
    }
}

fn plain(value: f64) -> String {
    if value >= 1.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
