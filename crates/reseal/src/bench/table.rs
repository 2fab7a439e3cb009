//! Tables that a terminal and a Markdown document show alike, and the figures in them.

/// Columns of texts, then columns of figures.
pub(super) struct Table {
    texts: usize,
    /// The first one is the heads.
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(texts: &[&str], figures: &[&str]) -> Self {
        let heads = texts.iter().chain(figures);
        Self {
            texts: texts.len(),
            rows: vec![heads.map(ToString::to_string).collect()],
        }
    }

    /// Adds a row; cells that are missing stay empty, those that have no column are left out.
    pub(super) fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        let columns = self.heads().len();
        let mut row: Vec<String> = cells
            .into_iter()
            .map(|cell| cell.replace('|', "\\|"))
            .take(columns)
            .collect();
        row.resize(columns, String::new());
        self.rows.push(row);
    }

    /// The lines of the table; nothing when it has no row.
    pub(super) fn lines(&self) -> Vec<String> {
        let Some((heads, rows)) = self.rows.split_first().filter(|(_, rows)| !rows.is_empty())
        else {
            return Vec::new();
        };
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            // The line below the heads has three signs at the least.
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(3)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let mut lines = vec![self.line(heads, &widths), self.rule(&widths)];
        lines.extend(rows.iter().map(|row| self.line(row, &widths)));
        lines
    }

    fn heads(&self) -> &[String] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let cells = cells.iter().zip(widths).enumerate();
        let padded: Vec<String> = cells
            .map(|(column, (cell, width))| {
                if column < self.texts {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            })
            .collect();
        format!("| {} |", padded.join(" | "))
    }

    /// The line below the heads, which says that figures stand on the right.
    fn rule(&self, widths: &[usize]) -> String {
        let dashes: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| {
                let end = if column < self.texts { "-" } else { ":" };
                format!("{}{end}", "-".repeat(width - 1))
            })
            .collect();
        format!("| {} |", dashes.join(" | "))
    }
}

/// A figure with three digits that count: `0.079`, `1.25`, `26.1`, `1,185`.
pub(super) fn figure(value: f64) -> String {
    let decimals = match value {
        value if value >= 100.0 => return grouped(&format!("{value:.0}")),
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// The same of what may not be known.
pub(super) fn figure_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), figure)
}

/// Digits with a comma before each group of three.
fn grouped(digits: &str) -> String {
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_whose_columns_stand_below_each_other() {
        let mut table = Table::new(&["what"], &["n", "calls/s"]);
        assert!(table.lines().is_empty());
        table.add(["GET a|b".to_owned(), "8".to_owned(), figure(25_611.4)]);
        table.add(["–".to_owned(), "32".to_owned()]);
        table.add(["x".to_owned(), "1".to_owned(), figure(1.0), figure(2.0)]);
        assert_eq!(
            table.lines(),
            [
                r"| what     |   n | calls/s |",
                r"| -------- | --: | ------: |",
                r"| GET a\|b |   8 |  25,611 |",
                r"| –        |  32 |         |",
                r"| x        |   1 |    1.00 |",
            ]
        );
    }

    #[test]
    fn a_figure_has_three_digits_that_count() {
        let shown = [0.0, 0.0794, 0.9996, 1.254, 26.06, 318.4, 1_185.2].map(figure);
        assert_eq!(
            shown,
            ["0.000", "0.079", "1.000", "1.25", "26.1", "318", "1,185"]
        );
        assert_eq!(figure(12_345_678.0), "12,345,678");
        assert_eq!(figure_or_dash(None), "–");
    }
}
