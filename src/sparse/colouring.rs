//! Colours for columns, so that no two of one colour meet in a row.

use super::Sparsity;

/// A colour for each column, counted from 0.
pub(super) struct Colouring {
    pub(super) colours: Vec<u32>,
    pub(super) count: usize,
}

/// How the sweeps of a Jacobian are shared.
pub(super) enum Plan {
    /// Columns of one colour in one forward sweep.
    Forward(Colouring),
    /// Rows of one colour in one reverse sweep.
    Reverse(Colouring),
}

/// The mode that takes fewer colours, forward mode if both take as many. The other one is coloured only where it might
/// do with fewer: a full row of n entries makes n colours of the columns, in n² steps.
pub(super) fn plan(pattern: &Sparsity, transposed: &Sparsity) -> Plan {
    let forward = || colour(pattern, transposed);
    let reverse = || colour(transposed, pattern);
    if fullest(pattern) <= fullest(transposed) {
        let columns = forward();
        if columns.count <= fullest(transposed) {
            return Plan::Forward(columns);
        }
        let rows = reverse();
        return if columns.count <= rows.count { Plan::Forward(columns) } else { Plan::Reverse(rows) };
    }
    let rows = reverse();
    if rows.count < fullest(pattern) {
        return Plan::Reverse(rows);
    }
    let columns = forward();
    if columns.count <= rows.count { Plan::Forward(columns) } else { Plan::Reverse(rows) }
}

/// The entries of the fullest row, which need as many colours of columns.
fn fullest(pattern: &Sparsity) -> usize {
    (0..pattern.rows()).map(|row| pattern.row(row).len()).max().unwrap_or(0)
}

/// Greedy colouring: in the columns' own order, which is best for bands; if that takes more colours than the fullest
/// row makes necessary, the fullest columns first, too.
pub(super) fn colour(pattern: &Sparsity, transposed: &Sparsity) -> Colouring {
    let order: Vec<u32> = (0..pattern.columns as u32).collect();
    let natural = greedy(pattern, transposed, &order);
    if natural.count <= fullest(pattern).max(1) {
        return natural;
    }
    let mut order = order;
    order.sort_by_key(|&column| std::cmp::Reverse(transposed.row(column as usize).len()));
    let by_degree = greedy(pattern, transposed, &order);
    if by_degree.count < natural.count { by_degree } else { natural }
}

fn greedy(pattern: &Sparsity, transposed: &Sparsity, order: &[u32]) -> Colouring {
    const NONE: u32 = u32::MAX;
    let mut colours = vec![NONE; pattern.columns];
    // The last column that each colour was seen beside.
    let mut beside: Vec<u32> = vec![];
    for &column in order {
        for &row in transposed.row(column as usize) {
            for &other in pattern.row(row as usize) {
                let colour = colours[other as usize];
                if colour != NONE {
                    beside[colour as usize] = column;
                }
            }
        }
        let free = beside.iter().position(|&last| last != column).unwrap_or_else(|| {
            beside.push(NONE);
            beside.len() - 1
        });
        colours[column as usize] = free as u32;
    }
    Colouring { colours, count: beside.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Generator;

    fn colours(pattern: &Sparsity) -> Colouring {
        let found = colour(pattern, &pattern.transposed());
        for row in 0..pattern.rows() {
            let mut seen: Vec<u32> = pattern.row(row).iter().map(|&c| found.colours[c as usize]).collect();
            seen.sort_unstable();
            assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "two of one colour meet in row {row}");
        }
        assert!(found.colours.iter().all(|&c| (c as usize) < found.count));
        found
    }

    #[test]
    fn bands_take_as_many_colours_as_they_are_wide() {
        for (lower, upper) in [(0, 0), (1, 1), (2, 3)] {
            let found = colours(&Sparsity::banded(50, 50, lower, upper).unwrap());
            assert_eq!(found.count, lower + upper + 1);
        }
        assert_eq!(colours(&Sparsity::new(3, 0, []).unwrap()).count, 0);
        assert_eq!(colours(&Sparsity::new(0, 3, []).unwrap()).count, 1);
    }

    #[test]
    fn a_full_row_is_swept_in_reverse_without_colouring_the_columns() {
        let n = 100_000;
        let row = Sparsity::new(1, n, (0..n).map(|column| (0, column))).unwrap();
        assert!(matches!(plan(&row, &row.transposed()), Plan::Reverse(rows) if rows.count == 1));
        assert!(matches!(plan(&row.transposed(), &row), Plan::Forward(columns) if columns.count == 1));
    }

    #[test]
    fn the_plan_has_the_fewer_colours() {
        let mut random = Generator::new(2);
        let (mut forward, mut reverse) = (0, 0);
        for k in 0..60 {
            let (rows, columns) = (1 + random.below(12), 1 + random.below(12));
            let entries: Vec<_> = (0..k).map(|_| (random.below(rows), random.below(columns))).collect();
            let pattern = Sparsity::new(rows, columns, entries).unwrap();
            let transposed = pattern.transposed();
            let counts = [colour(&pattern, &transposed).count, colour(&transposed, &pattern).count];
            match plan(&pattern, &transposed) {
                Plan::Forward(found) => {
                    forward += 1;
                    assert!(found.count == counts[0] && counts[0] <= counts[1]);
                }
                Plan::Reverse(found) => {
                    reverse += 1;
                    assert!(found.count == counts[1] && counts[1] < counts[0]);
                }
            }
        }
        assert!(forward > 5 && reverse > 5, "{forward} {reverse}");
    }

    #[test]
    fn random_patterns_are_coloured_without_conflicts() {
        let mut random = Generator::new(1);
        for n in [1, 5, 40] {
            let entries: Vec<_> = (0..3 * n).map(|_| (random.below(n), random.below(n))).collect();
            let pattern = Sparsity::new(n, n, entries).unwrap();
            let widest = (0..n).map(|row| pattern.row(row).len()).max().unwrap();
            assert!((widest..=n).contains(&colours(&pattern).count));
        }
    }

    /// A crown, where the natural order pairs each column with its opposite and needs a colour for every pair.
    #[test]
    fn the_fullest_columns_come_first_where_that_is_better() {
        // Columns 0..6: a path 0-2-4.. in an order that greedy colours badly, made good by degrees.
        let n = 8;
        let mut entries = vec![];
        let mut row = 0;
        for i in 0..n / 2 {
            for j in 0..n / 2 {
                if i != j {
                    entries.extend([(row, 2 * i), (row, 2 * j + 1)]);
                    row += 1;
                }
            }
        }
        // One more edge for each of the even columns makes them the fullest.
        for i in 0..n / 2 {
            entries.extend([(row, 2 * i), (row, n)]);
            row += 1;
        }
        let pattern = Sparsity::new(row, n + 1, entries).unwrap();
        let order: Vec<u32> = (0..n as u32 + 1).collect();
        let natural = greedy(&pattern, &pattern.transposed(), &order).count;
        assert_eq!((natural, colours(&pattern).count), (5, 2));
    }
}
