//! Values on their way to and from PostgreSQL. The types are those of the statement: a number for a boolean column
//! is a boolean, and comes back as a number.

use bytes::{BufMut as _, BytesMut};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Problem = Box<dyn std::error::Error + Sync + Send>;

/// A value of a row.
pub(crate) struct Cell<'a>(pub(crate) ValueRef<'a>);

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Problem> {
        Ok(Self(match *kind {
            Type::INT8 => ValueRef::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => ValueRef::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => ValueRef::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => ValueRef::Integer((raw != [0]).into()),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => ValueRef::Text(raw),
            Type::BYTEA => ValueRef::Blob(raw),
            ref other => return Err(format!("a value of type {other} is not expected").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Problem> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A value for a parameter.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub(super) ToSqlOutput<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        let value = match &self.0 {
            ToSqlOutput::Borrowed(value) => *value,
            ToSqlOutput::Owned(value) => value.into(),
            _ => return Err("a value of an unknown kind".into()),
        };
        match (value, kind) {
            (ValueRef::Null, _) => return Ok(IsNull::Yes),
            (ValueRef::Integer(number), &Type::INT8) => out.put_i64(number),
            (ValueRef::Integer(number), &Type::INT4) => out.put_i32(number.try_into()?),
            (ValueRef::Integer(number), &Type::INT2) => out.put_i16(number.try_into()?),
            (ValueRef::Integer(number), &Type::BOOL) => out.put_u8((number != 0).into()),
            (ValueRef::Text(text), &Type::TEXT | &Type::VARCHAR) => put_text(text, out),
            (ValueRef::Blob(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (value, kind) => {
                let found = value.data_type();
                return Err(
                    format!("a value of kind {found} for a parameter of type {kind}").into(),
                );
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A text of PostgreSQL has no NUL: it is replaced by the character that stands for what cannot be shown.
fn put_text(text: &[u8], out: &mut BytesMut) {
    let mut pieces = text.split(|byte| *byte == 0);
    out.put_slice(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.put_slice("\u{fffd}".as_bytes());
        out.put_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nasty_a_nul_does_not_reach_the_server() {
        let bound = Bound(ToSqlOutput::Borrowed(ValueRef::Text(b"a\0b\0")));
        let mut out = BytesMut::new();
        assert!(matches!(
            bound.to_sql(&Type::TEXT, &mut out),
            Ok(IsNull::No)
        ));
        assert_eq!(&out[..], "a\u{fffd}b\u{fffd}".as_bytes());
    }

    #[test]
    fn a_number_is_what_its_column_is() {
        for (kind, expected) in [
            (Type::INT8, &[0, 0, 0, 0, 0, 0, 0, 1][..]),
            (Type::INT2, &[0, 1]),
            (Type::BOOL, &[1]),
        ] {
            let mut out = BytesMut::new();
            let bound = Bound(ToSqlOutput::Borrowed(ValueRef::Integer(1)));
            bound.to_sql(&kind, &mut out).unwrap();
            assert_eq!(&out[..], expected);
            let Cell(back) = Cell::from_sql(&kind, expected).unwrap();
            assert_eq!(back, ValueRef::Integer(1));
        }
        let large = Bound(ToSqlOutput::Borrowed(ValueRef::Integer(1 << 40)));
        assert!(large.to_sql(&Type::INT4, &mut BytesMut::new()).is_err());
    }
}
