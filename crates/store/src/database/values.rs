//! Values for the parameters of a statement, as callers write them.

use super::{ToSql, Value};

/// Values in the order of a statement's parameters.
pub(crate) trait Values {
    /// Hands them to `run`.
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R;
}

impl Values for &[&dyn ToSql] {
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        run(self)
    }
}

impl<T: ToSql, const N: usize> Values for [T; N] {
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        run(&std::array::from_fn::<&dyn ToSql, N, _>(|index| {
            &self[index]
        }))
    }
}

impl Values for &[Value] {
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let values: Vec<&dyn ToSql> = self.iter().map(|value| value as &dyn ToSql).collect();
        run(&values)
    }
}
