//! Tables of numbers, as several examples read them.

/// The rows of a file of numbers between commas.
pub fn rows<const N: usize>(text: &str) -> Vec<[f64; N]> {
    let number = |word: &str| word.parse().expect("the file holds numbers");
    let row = |line: &str| line.split(',').map(number).collect::<Vec<f64>>().try_into();
    text.lines().map(|line| row(line).expect("rows are of one length")).collect()
}
