//! Colours for columns, so that no two of one colour meet in a row.

use super::Sparsity;

/// A colour for each column, counted from 0.
pub(super) struct Colouring {
    pub(super) colours: Vec<u32>,
    pub(super) count: usize,
}

/// Greedy colouring: in the columns' own order, which is best for bands; if that takes more colours than the fullest
/// row makes necessary, the fullest columns first, too.
pub(super) fn colour(pattern: &Sparsity, transposed: &Sparsity) -> Colouring {
    let order: Vec<u32> = (0..pattern.columns as u32).collect();
    let natural = greedy(pattern, transposed, &order);
    let needed = (0..pattern.rows()).map(|row| pattern.row(row).len()).max().unwrap_or(0);
    if natural.count <= needed.max(1) {
        return natural;
    }
    let mut order = order;
    order.sort_by_key(|&column| std::cmp::Reverse(transposed.row(column as usize).len()));
    let fullest = greedy(pattern, transposed, &order);
    if fullest.count < natural.count { fullest } else { natural }
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
