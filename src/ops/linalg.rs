//! Linear algebra, through `faer`: the feature `linalg`.

operations! {
}
