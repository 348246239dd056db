//! Tables for spreadsheets: RFC 4180, in UTF-8 with a byte order mark, by which Excel knows it.

/// A table that is being written.
#[derive(Debug)]
pub struct Csv {
    text: String,
    columns: usize,
}

impl Csv {
    /// A table with these columns.
    #[must_use]
    pub fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut table = Self { text: String::from('\u{FEFF}'), columns: 0 };
        table.columns = table.line(header);
        table
    }

    /// Adds a row. It has as many cells as there are columns: what is missing is empty.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        let columns = self.columns;
        let mut cells = cells.into_iter();
        let row: Vec<&str> = (0..columns).map(|_| cells.next().unwrap_or_default()).collect();
        self.line(row);
    }

    /// The whole table.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn line<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> usize {
        let mut count = 0;
        for cell in cells {
            if count > 0 {
                self.text.push(',');
            }
            self.cell(cell);
            count += 1;
        }
        self.text.push_str("\r\n");
        count
    }

    fn cell(&mut self, value: &str) {
        // A spreadsheet takes what begins so for a formula: an apostrophe says that it is text.
        let guard = if is_formula(value) { "'" } else { "" };
        if guard.is_empty() && !value.contains(['"', ',', '\r', '\n']) {
            self.text.push_str(value);
            return;
        }
        self.text.push('"');
        self.text.push_str(guard);
        self.text.push_str(&value.replace('"', "\"\""));
        self.text.push('"');
    }
}

/// Whether a spreadsheet could take a text for a formula: also where white space stands before it, or its sign is full-width.
fn is_formula(value: &str) -> bool {
    value.starts_with(['\t', '\r', '\n'])
        || value.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut table = Csv::new(["名称", "次数"]);
        table.row(["某银行", "3"]);
        table.row(["a,b", "\"c\""]);
        table.row(["two\nlines"]);
        table.row(["=1+1", " @x", "too many"]);
        let expected =
            "\u{FEFF}名称,次数\r\n某银行,3\r\n\"a,b\",\"\"\"c\"\"\"\r\n\"two\nlines\",\r\n\"'=1+1\",\"' @x\"\r\n";
        assert_eq!(table.finish(), expected);
    }

    /// Another reading of RFC 4180.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
        let mut rest = text.trim_start_matches('\u{FEFF}').chars().peekable();
        while let Some(character) = rest.next() {
            match (quoted, character) {
                (true, '"') if rest.peek() == Some(&'"') => cell.extend(rest.next()),
                (_, '"') => quoted = !quoted,
                (false, ',') => row.push(std::mem::take(&mut cell)),
                (false, '\r') if rest.peek() == Some(&'\n') => {
                    rest.next();
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                (_, other) => cell.push(other),
            }
        }
        rows
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_and_no_cell_is_a_formula(
            cells in proptest::collection::vec(proptest::collection::vec("[a=+\\-@＝\t\r\n\",'中 ]{0,6}", 3), 0..5)
        ) {
            let mut table = Csv::new(["a", "b", "c"]);
            for row in &cells {
                table.row(row.iter().map(String::as_str));
            }
            let read = read(&table.finish());
            prop_assert_eq!(read.len(), cells.len() + 1);
            for (written, read) in cells.iter().zip(&read[1..]) {
                for (written, read) in written.iter().zip(read) {
                    prop_assert!(!is_formula(read));
                    prop_assert!(read == written || read.strip_prefix('\'') == Some(written.as_str()));
                }
            }
        }
    }
}
