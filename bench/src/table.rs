//! Tables in Markdown.

/// A table with its columns padded.
pub(crate) fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([head[column].chars().count(), 3]).max().unwrap_or(3)
        })
        .collect();
    let line = |cells: Vec<String>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} "));
        format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
    };
    let mut text = line(head.iter().map(ToString::to_string).collect());
    text.push_str(&line(widths.iter().map(|width| "-".repeat(*width)).collect()));
    rows.iter().for_each(|row| text.push_str(&line(row.clone())));
    text
}
