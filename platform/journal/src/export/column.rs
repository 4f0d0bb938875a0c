//! Columns and what stands in them.

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub kind: Kind,
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bits, signed.
    Integer,
    /// Microseconds since 1970, UTC.
    Time,
    /// 64 bits.
    Real,
    /// True or false.
    Truth,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Nothing is known.
    Missing,
    /// For [`Kind::Text`].
    Text(&'a str),
    /// For [`Kind::Integer`].
    Integer(i64),
    /// For [`Kind::Time`].
    Time(jiff::Timestamp),
    /// For [`Kind::Real`]; not finite means missing.
    Real(f64),
    /// For [`Kind::Truth`].
    Truth(bool),
}

impl Column {
    /// A column.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }
}

impl<'a> Value<'a> {
    /// Missing where there is none.
    #[must_use]
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Missing, Self::Text)
    }

    /// Missing where there is none or it is not finite.
    #[must_use]
    pub fn real(value: Option<f64>) -> Self {
        value
            .filter(|value| value.is_finite())
            .map_or(Self::Missing, Self::Real)
    }
}
