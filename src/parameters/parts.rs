//! What structs of parameters are made of: tensors, what holds them, and structs.

use super::{Parameters, Path};
use crate::number::Real;
use crate::tensor::Tensor;

impl<T: Real> Parameters<T> for Tensor<T> {
    type With<Q> = Q;
    fn walk<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Tensor<T>))
    where
        T: 'a,
    {
        f(path, self);
    }
    fn walk_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Tensor<T>))
    where
        T: 'a,
    {
        f(path, self);
    }
    fn rebuild<Q>(&self, path: &mut Path, f: &mut dyn FnMut(&Path, &Tensor<T>) -> Q) -> Q {
        f(path, self)
    }
}

/// Lists, of which each element is in its place.
macro_rules! lists {
    ($([$($generic:tt)*] $list:ty, $with:ty, |$rebuilt:ident| $collect:expr;)*) => {$(
        impl<T: Real, A: Parameters<T>, $($generic)*> Parameters<T> for $list {
            type With<Q> = $with;
            fn walk<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Tensor<T>))
            where
                T: 'a,
            {
                for (i, part) in self.iter().enumerate() {
                    path.index(i, |path| part.walk(path, f));
                }
            }
            fn walk_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Tensor<T>))
            where
                T: 'a,
            {
                for (i, part) in self.iter_mut().enumerate() {
                    path.index(i, |path| part.walk_mut(path, f));
                }
            }
            fn rebuild<Q>(&self, path: &mut Path, f: &mut dyn FnMut(&Path, &Tensor<T>) -> Q) -> Self::With<Q> {
                let mut $rebuilt = self.iter().enumerate().map(|(i, part)| path.index(i, |path| part.rebuild(path, f)));
                $collect
            }
        }
    )*};
}

lists! {
    [] Vec<A>, Vec<A::With<Q>>, |parts| parts.by_ref().collect();
    [const N: usize] [A; N], [A::With<Q>; N], |parts| std::array::from_fn(|_| parts.next().expect("N of them"));
}

/// What holds at most one, which stands where it stands: a look at it, one to change it, and what it becomes.
macro_rules! holders {
    ($($holder:ident, |$held:ident| $look:expr, $change:expr, |$f:ident| $made:expr;)*) => {$(
        impl<T: Real, A: Parameters<T>> Parameters<T> for $holder<A> {
            type With<Q> = $holder<A::With<Q>>;
            fn walk<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Tensor<T>))
            where
                T: 'a,
            {
                let $held = self;
                if let Some(part) = $look {
                    part.walk(path, f);
                }
            }
            fn walk_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Tensor<T>))
            where
                T: 'a,
            {
                let $held = self;
                if let Some(part) = $change {
                    part.walk_mut(path, f);
                }
            }
            fn rebuild<Q>(&self, path: &mut Path, f: &mut dyn FnMut(&Path, &Tensor<T>) -> Q) -> Self::With<Q> {
                let ($held, mut $f) = (self, |part: &A| part.rebuild(path, f));
                $made
            }
        }
    )*};
}

holders! {
    Option, |held| held.as_ref(), held.as_mut(), |f| held.as_ref().map(&mut f);
    Box, |held| Some(held.as_ref()), Some(held.as_mut()), |f| Box::new(f(held.as_ref()));
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*);)*) => {$(
        impl<T: Real, $($name: Parameters<T>),*> Parameters<T> for ($($name,)*) {
            type With<Q> = ($($name::With<Q>,)*);
            fn walk<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Tensor<T>))
            where
                T: 'a,
            {
                $(path.index($index, |path| self.$index.walk(path, f));)*
            }
            fn walk_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Tensor<T>))
            where
                T: 'a,
            {
                $(path.index($index, |path| self.$index.walk_mut(path, f));)*
            }
            fn rebuild<Q>(&self, path: &mut Path, f: &mut dyn FnMut(&Path, &Tensor<T>) -> Q) -> Self::With<Q> {
                ($(path.index($index, |path| self.$index.rebuild(path, f)),)*)
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
}

/// Implements [`Parameters`](crate::Parameters) for a struct that is generic over its leaves, `struct Name<P>`: the fields
/// that hold them, in the order in which they are walked, and behind a semicolon those that are copied, sizes and
/// settings.
///
/// ```
/// use retrograde::{Parameters, Tape, Tensor, parameters};
///
/// struct Attention<P> {
///     query: P,
///     key: P,
///     bias: Option<P>,
///     heads: usize,
/// }
/// parameters!(Attention { query, key, bias; heads });
///
/// let model = Attention { query: Tensor::from([1.0_f32]), key: Tensor::from([2.0]), bias: None, heads: 4 };
/// let tape = Tape::new();
/// let on = model.on(&tape);
/// assert_eq!((on.query.label().as_deref(), on.bias.is_none(), on.heads), (Some("query"), true, 4));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[macro_export]
macro_rules! parameters {
    ($name:ident { $($field:ident),+ $(,)? $(; $($copied:ident),* $(,)?)? }) => {
        impl<T: $crate::Real> $crate::Parameters<T> for $name<$crate::Tensor<T>> {
            type With<Q> = $name<Q>;
            fn walk<'a>(
                &'a self,
                path: &mut $crate::Path,
                f: &mut dyn FnMut(&$crate::Path, &'a $crate::Tensor<T>),
            ) where
                T: 'a,
            {
                $(path.field(stringify!($field), |path| $crate::Parameters::<T>::walk(&self.$field, path, f));)+
            }
            fn walk_mut<'a>(
                &'a mut self,
                path: &mut $crate::Path,
                f: &mut dyn FnMut(&$crate::Path, &'a mut $crate::Tensor<T>),
            ) where
                T: 'a,
            {
                $(path.field(stringify!($field), |path| {
                    $crate::Parameters::<T>::walk_mut(&mut self.$field, path, f)
                });)+
            }
            fn rebuild<Q>(
                &self,
                path: &mut $crate::Path,
                f: &mut dyn FnMut(&$crate::Path, &$crate::Tensor<T>) -> Q,
            ) -> $name<Q> {
                $name {
                    $($field: path.field(stringify!($field), |path| {
                        $crate::Parameters::<T>::rebuild(&self.$field, path, f)
                    }),)+
                    $($($copied: ::core::clone::Clone::clone(&self.$copied),)*)?
                }
            }
        }
    };
}
