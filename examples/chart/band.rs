//! A shaded band between two curves.

use super::chart::Chart;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use std::error::Error;

/// Shades what lies `width` above and below each point `(x, y, width)` of a curve, before the curve is drawn.
pub fn band<X: Ranged<ValueType = f64> + 'static, Y: Ranged<ValueType = f64> + 'static>(
    chart: &mut Chart<'_, X, Y>,
    name: &str,
    color: RGBColor,
    points: &[(f64, f64, f64)],
) -> Result<(), Box<dyn Error>> {
    let above = points.iter().map(|&(x, y, width)| (x, y + width));
    let below = points.iter().rev().map(|&(x, y, width)| (x, y - width));
    chart
        .draw_series([Polygon::new(above.chain(below).collect::<Vec<_>>(), color.mix(0.2))])?
        .label(name)
        .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 24, y + 5)], color.mix(0.2).filled()));
    Ok(())
}
