//! Curves with their names, as several examples draw them.

use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use std::error::Error;

pub type Chart<'a, X, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>;

/// Draws curves, then their names in a box.
pub fn curves<'a, X: Ranged<ValueType = f64>, Y: Ranged<ValueType = f64>>(
    chart: &mut Chart<'a, X, Y>,
    curves: impl IntoIterator<Item = (&'a str, RGBColor, Vec<(f64, f64)>)>,
) -> Result<(), Box<dyn Error>> {
    for (name, color, points) in curves {
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], color.stroke_width(3)));
    }
    names(chart)
}

/// Draws the names of what has some, in a box.
pub fn names<'a, X: Ranged<ValueType = f64>, Y: Ranged<ValueType = f64>>(
    chart: &mut Chart<'a, X, Y>,
) -> Result<(), Box<dyn Error>> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .legend_area_size(34)
        .label_font(("sans-serif", 15))
        .background_style(WHITE)
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    Ok(())
}
