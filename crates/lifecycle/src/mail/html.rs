//! A letter as HTML that mail programs of all kinds show alike: no tables, pictures, scripts or foreign contents,
//! styles inline. Text and background keep the reader's colours, light or dark; only the button has its own.

use super::letter::{Letter, Part};

const BODY: &str = "margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:16px;line-height:1.5";
const COLUMN: &str = "max-width:600px;margin:0 auto";
const HEADING: &str = "margin:0 0 16px;font-size:22px;line-height:1.3";
const PARAGRAPH: &str = "margin:0 0 16px";
const NOTE: &str = "margin:0 0 16px;font-size:14px";
const LIST: &str = "margin:0 0 16px;padding:0 0 0 24px";
const ENTRY: &str =
    "margin:0;font-family:ui-monospace,Menlo,Consolas,monospace;word-break:break-all";
const FACTS: &str = "margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid #808080";
const LABEL: &str = "margin:0;font-weight:bold";
const VALUE: &str = "margin:0 0 8px;overflow-wrap:anywhere";
const BUTTON: &str = "display:inline-block;padding:12px 24px;border:1px solid #ffffff;border-radius:6px;background-color:#14532d;color:#ffffff;font-weight:bold;text-decoration:none";
const ADDRESS: &str = "word-break:break-all";

/// The whole document, one line for each element, so that lines stay short.
pub(super) fn page(letter: &Letter) -> String {
    let tag = letter.language.tag();
    let title = escaped(&letter.subject);
    let fallback = escaped(letter.language.texts().fallback.text());
    let parts: String = letter
        .parts
        .iter()
        .map(|part| element(part, &fallback))
        .collect();
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"{tag}\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n\
         <title>{title}</title>\n\
         </head>\n\
         <body style=\"{BODY}\">\n\
         <div lang=\"{tag}\" style=\"{COLUMN}\">\n\
         {parts}\
         </div>\n\
         </body>\n\
         </html>\n"
    )
}

fn element(part: &Part, fallback: &str) -> String {
    match part {
        Part::Heading(text) => format!("<h1 style=\"{HEADING}\">{}</h1>\n", escaped(text)),
        Part::Paragraph(text) => format!("<p style=\"{PARAGRAPH}\">{}</p>\n", escaped(text)),
        Part::Note(text) => format!("<p style=\"{NOTE}\">{}</p>\n", escaped(text)),
        Part::List(entries) => {
            let entry = |entry: &String| format!("<li style=\"{ENTRY}\">{}</li>\n", escaped(entry));
            let entries: String = entries.iter().map(entry).collect();
            format!("<ul style=\"{LIST}\">\n{entries}</ul>\n")
        }
        Part::Facts(facts) => {
            let fact = |(label, value): &(String, String)| {
                let (label, value) = (escaped(label), escaped(value));
                format!("<dt style=\"{LABEL}\">{label}</dt>\n<dd style=\"{VALUE}\">{value}</dd>\n")
            };
            let facts: String = facts.iter().map(fact).collect();
            format!("<dl style=\"{FACTS}\">\n{facts}</dl>\n")
        }
        Part::Link { button, address } => {
            let (button, address) = (escaped(button), escaped(address));
            format!(
                "<p style=\"{PARAGRAPH}\">\n<a href=\"{address}\" style=\"{BUTTON}\">{button}</a>\n</p>\n\
                 <p style=\"{NOTE}\">{fallback}<br>\n<span style=\"{ADDRESS}\">{address}</span></p>\n"
            )
        }
    }
}

/// Text for elements and for attributes in double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
