//! `summary.csv`: one header line, one row per case, RFC 4180, UTF-8.
//!
//! Names are plain with their units; a missing figure is an empty cell. A cell that a spreadsheet
//! would take for a formula starts with an apostrophe (OWASP, "CSV Injection"); control characters
//! are written as `\x1B` and the like, so that one case is always one line. The case's id is
//! never changed: it cannot hold such characters.

use super::row::Row;
use super::sanitize::escape_controls;
use crate::sweep::outcome::LimitKind;

/// The columns, in order.
const HEADER: [&str; 23] = [
    "id",
    "path",
    "language",
    "verdict",
    "expected",
    "expectation_met",
    "termination",
    "exit_code",
    "signal",
    "limit",
    "wall_time_s",
    "cpu_time_s",
    "cpu_time_provenance",
    "peak_memory_bytes",
    "peak_memory_provenance",
    "peak_processes",
    "stdout_bytes",
    "stderr_bytes",
    "evidence",
    "worker",
    "started_s",
    "ended_s",
    "directory",
];

/// The whole file.
pub fn summary_csv(rows: &[Row]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADER).expect("writing to memory");
    for row in rows {
        let seconds = |value: Option<f64>| value.map(|s| format!("{s:.6}")).unwrap_or_default();
        fn plain<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let provenance = |provenance| {
            serde_json::to_value(provenance).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
        };
        writer
            .write_record([
                row.id.to_string(),
                text_cell(&row.path()),
                text_cell(&row.language),
                row.verdict.to_string(),
                row.expected.as_deref().unwrap_or_default().to_owned(),
                plain(row.met),
                text_cell(&row.termination),
                plain(row.exit_code),
                plain(row.signal),
                row.limit.map(LimitKind::name).unwrap_or_default().to_owned(),
                seconds(row.wall_time_s),
                seconds(row.cpu_time_s),
                provenance(row.cpu_provenance),
                plain(row.peak_memory_bytes),
                provenance(row.memory_provenance),
                plain(row.peak_processes),
                row.stdout_bytes.to_string(),
                row.stderr_bytes.to_string(),
                row.evidence.to_string(),
                row.worker.to_string(),
                seconds(row.started_s),
                seconds(Some(row.ended_s)),
                row.id.directory().to_string_lossy().into_owned(),
            ])
            .expect("writing to memory");
    }
    writer.into_inner().expect("writing to memory")
}

/// Text that a script or its name can influence, as a cell.
fn text_cell(text: &str) -> String {
    let escaped = escape_controls(text);
    if escaped.starts_with(['=', '+', '-', '@']) { format!("'{escaped}") } else { escaped.into_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_made_text() {
        assert_eq!(text_cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(text_cell("@SUM(1)"), "'@SUM(1)");
        assert_eq!(text_cell("a\tb\r\nc"), "a\\tb\\r\\nc");
        assert_eq!(text_cell("plain name.py"), "plain name.py");
    }

    proptest! {
        #[test]
        fn any_text_is_one_cell_on_one_line(text in "\\PC{0,20}[\\x00-\\x1f=+@,\"\n-]{0,8}\\PC{0,20}") {
            let cell = text_cell(&text);
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record([cell.as_str(), "end"]).unwrap();
            let bytes = writer.into_inner().unwrap();
            prop_assert_eq!(bytes.iter().filter(|&&b| b == b'\n').count(), 1);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&record[0], cell.as_str());
            prop_assert!(!record[0].starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
