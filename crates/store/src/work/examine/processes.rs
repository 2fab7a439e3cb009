//! Whether what lists and workers go by, beside the state of a process, is what the state says.

use super::super::rows;
use super::{Checked, Told, pages};
use crate::database::{Connection, Error, Result, Row};
use crate::sql;

/// The first column that is not among those of [`rows::process`].
const STATUS: usize = 14;
/// Rows that are read at once: PostgreSQL hands over all of them, and a state may be long.
const AT_ONCE: i64 = 500;

pub(super) fn check(connection: &Connection, told: Told<'_>) -> Result<Checked> {
    let mut checked = Checked::new(
        "what is stored beside the state of each process agrees with it",
        "a process is shown as what it is not, or nobody works on it: it was changed by hand, or the disk is damaged. \
         Restore the row from a backup",
    );
    let select = sql::examine::SELECT_PROCESSES;
    pages(connection, select, AT_ONCE, differs, |page| {
        for (id, differs) in page {
            checked.rows += 1;
            if let Some(what) = differs {
                checked.find(format!("process {id}: {what}"));
            }
        }
        told("process", checked.rows);
        Ok(())
    })?;
    Ok(checked)
}

fn differs(row: &Row<'_>) -> Result<Option<String>> {
    let process = match rows::process(row) {
        Ok(process) => process,
        Err(error @ Error::Column { .. }) => {
            return Ok(Some(format!("it cannot be read: {error}")));
        }
        Err(error) => return Err(error),
    };
    let (status, is) = (row.get::<String>(STATUS)?, process.status().as_str());
    let open: bool = row.get(STATUS + 1)?;
    let attention: bool = row.get(STATUS + 2)?;
    Ok(if status != is {
        Some(format!("it is listed as {status} and is {is}"))
    } else if open != process.is_open() {
        Some(format!("it is {status}, and `open` is {open}"))
    } else if attention != process.requires_attention() {
        Some(format!(
            "it is {status}, and `requires_attention` is {attention}"
        ))
    } else {
        None
    })
}
