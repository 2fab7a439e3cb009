//! Values at and just beyond the edges of the contract's restrictions on texts (contract.md section 4), and the rows
//! for a field that has one.

use serde_json::{Value, json};

use super::row::{Call, Row, row};

/// A value, what is special about it, and whether the contract takes it.
pub(super) struct Edge {
    what: &'static str,
    value: String,
    taken: bool,
}

impl Edge {
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn is_taken(&self) -> bool {
        self.taken
    }

    /// The row of a call that has this value in `field`; `taken` says what follows a good one.
    pub(super) fn row(
        &self,
        section: &str,
        field: &str,
        call: Call,
        taken: impl Fn(Row) -> Row,
    ) -> Row {
        let row = row(format!("{section} {field} {}", self.what), call);
        if self.taken {
            taken(row)
        } else {
            row.violates(field)
        }
    }
}

fn edges(taken: &[(&'static str, &str)], refused: &[(&'static str, &str)]) -> Vec<Edge> {
    let edge = |taken: bool| {
        move |(what, value): &(&'static str, &str)| Edge {
            what,
            value: (*value).to_owned(),
            taken,
        }
    };
    taken
        .iter()
        .map(edge(true))
        .chain(refused.iter().map(edge(false)))
        .collect()
}

/// A name of that many bytes below `reseal.dev`.
pub(super) fn long_name(length: usize) -> String {
    let mut name = "reseal.dev".to_owned();
    while name.len() < length {
        // Two bytes are the shortest that can be added: a label and its dot.
        let missing = length - name.len();
        let label = match missing {
            65 => 62,
            more => more.min(64) - 1,
        };
        name = format!("{}.{name}", "a".repeat(label));
    }
    assert_eq!(name.len(), length);
    name
}

/// DOMAIN, without its wildcard, which is for other products.
pub(super) fn domains() -> Vec<Edge> {
    let label = |length: usize| format!("{}.dev", "a".repeat(length));
    edges(
        &[
            ("of 4 bytes, the shortest", "a.io"),
            ("with a label of 63 bytes", &label(63)),
            ("of 253 bytes, the longest in the DNS", &long_name(253)),
            ("with a digit first and a hyphen inside", "1-a.reseal.dev"),
            ("that is an A-label", "xn--mnchen-3ya.dev"),
            ("between blanks", " \tblank.dev\n"),
        ],
        &[
            ("of 3 bytes", "a.b"),
            ("of 256 bytes", &long_name(256)),
            ("with a label of 64 bytes", &label(64)),
            ("with a hyphen first", "-a.dev"),
            ("with a hyphen last in a label", "a-.dev"),
            ("with an empty label", "a..dev"),
            ("with a dot first", ".reseal.dev"),
            ("with a dot last", "reseal.dev."),
            ("in upper case", "RESEAL.dev"),
            ("with an underscore", "a_b.dev"),
            ("with a blank inside", "re seal.dev"),
            ("with a top level of one letter", "reseal.d"),
            ("with a top level that starts with a digit", "reseal.1a"),
            ("without a dot", "reseal"),
            ("that is a U-label", "münchen.dev"),
            ("with an asterisk inside", "a.*.dev"),
            ("with half a wildcard", "w*.reseal.dev"),
            ("that is an address", "192.0.2.1"),
            ("with a scheme", "https://reseal.dev"),
            ("with a port", "reseal.dev:443"),
            ("that is empty", ""),
            ("that is blank", "   "),
        ],
    )
}

/// EMAIL.
pub(super) fn emails() -> Vec<Edge> {
    let local = |length: usize| format!("{}@reseal.dev", "a".repeat(length));
    let long = |length: usize| format!("{}@{}", "a".repeat(64), long_name(length - 65));
    edges(
        &[
            ("of 6 bytes, the shortest", "a@b.io"),
            ("with 64 characters before the @", &local(64)),
            ("of 255 bytes, the longest", &long(255)),
            ("with every sign that it may have", "a.b_c-d+1@reseal.dev"),
            ("between blanks", " ada@reseal.dev "),
        ],
        &[
            ("of 5 bytes", "a@b.c"),
            ("with 65 characters before the @", &local(65)),
            ("of 256 bytes", &long(256)),
            ("in upper case", "Ada@reseal.dev"),
            ("without @", "ada.reseal.dev"),
            ("with two @", "a@b@reseal.dev"),
            ("with nothing before the @", "@reseal.dev"),
            ("with a dot first", ".ada@reseal.dev"),
            ("with a dot before the @", "ada.@reseal.dev"),
            ("with two dots", "a..da@reseal.dev"),
            ("with a blank inside", "a da@reseal.dev"),
            ("with quotes", "\"ada\"@reseal.dev"),
            ("beyond ASCII", "adé@reseal.dev"),
            ("with a host without a dot", "ada@reseal"),
            ("with a wildcard", "ada@*.reseal.dev"),
            ("that is empty", ""),
        ],
    )
}

/// VOICE.
pub(super) fn voices() -> Vec<Edge> {
    edges(
        &[
            ("of 4 bytes, the shortest", "+1.1"),
            (
                "of 17 bytes with a country of one digit",
                "+1.12345678901234",
            ),
            (
                "of 17 bytes with a country of three digits",
                "+123.123456789012",
            ),
            ("between blanks", " +31.384530759 "),
        ],
        &[
            ("of 18 bytes", "+123.1234567890123"),
            ("without a number", "+31."),
            ("without a country", "+.384530759"),
            ("with a country of four digits", "+1234.5678"),
            ("without a plus", "31.384530759"),
            ("with a hyphen", "+31-384530759"),
            ("with letters", "+31.38RESEAL"),
            ("with a blank inside", "+31. 38453075"),
            ("with two dots", "+31.38.453"),
            ("with digits of another script", "+31.٣٨"),
            ("that is empty", ""),
        ],
    )
}

/// `uniqueValue`.
pub(super) fn unique_values() -> Vec<Edge> {
    edges(
        &[
            ("of 1 byte, the shortest", "a"),
            ("of 20 bytes, the longest", "abcdefghijABCDEFG789"),
            ("between blanks", " u1 "),
        ],
        &[
            ("of 21 bytes", "abcdefghijABCDEFG7890"),
            ("with a hyphen", "a-b"),
            ("with an underscore", "a_b"),
            ("with a dot", "a.b"),
            ("with a blank inside", "a b"),
            ("beyond ASCII", "é"),
            ("that is empty", ""),
            ("that is blank", "  "),
        ],
    )
}

/// A text of `least` to `most` bytes, in which any printable character counts as many bytes as it has.
pub(super) fn lengths(most: usize) -> Vec<Edge> {
    let (longest, over) = ("a".repeat(most), "a".repeat(most + 1));
    let blank = format!("  {longest}\t\n");
    let (pairs, pair_over) = ("é".repeat(most / 2), "é".repeat(most / 2 + 1));
    edges(
        &[
            ("of 1 byte, the shortest", "a"),
            ("of the most bytes", &longest),
            ("of the most bytes between blanks", &blank),
            ("of the most bytes in characters of two bytes", &pairs),
        ],
        &[
            ("of one byte more", &over),
            ("of fewer characters but more bytes", &pair_over),
            ("that is empty", ""),
            ("that is blank", " \t "),
        ],
    )
}

/// The rows of a text field. `send` makes the call with the field's value, `taken` says what follows a good one.
pub(super) fn text_rows(
    section: &str,
    field: &str,
    edges: &[Edge],
    send: impl Fn(Value) -> Call,
    taken: impl Fn(Row) -> Row,
) -> Vec<Row> {
    let mut rows: Vec<Row> = edges
        .iter()
        .map(|edge| edge.row(section, field, send(edge.value().into()), &taken))
        .collect();
    rows.push(
        row(
            format!("{section} {field} that is a number"),
            send(json!(1)),
        )
        .unrecognized(field),
    );
    rows
}

/// The rows that say that a field may be left out, or may not be: absent and null are the same.
pub(super) fn presence_rows(
    section: &str,
    field: &str,
    required: bool,
    absent: Call,
    null: Call,
    taken: impl Fn(Row) -> Row,
) -> Vec<Row> {
    let said = |row: Row| {
        if required {
            row.violates(field)
        } else {
            taken(row)
        }
    };
    vec![
        said(row(format!("{section} {field} that is absent"), absent)),
        said(row(format!("{section} {field} that is null"), null)),
    ]
}
