//! A restore: another log's entries into an empty table.

use super::{PostgresLog, announce, failed, table};
use crate::copy::Pages;
use crate::{Head, Log, LogError};

impl PostgresLog {
    /// Copies all entries of another log into this one, which must be empty, in one transaction. Not bounded in time.
    ///
    /// # Errors
    /// [`LogError::NotEmpty`], [`LogError::Broken`] when what is copied is not sound, [`LogError::Unavailable`],
    /// [`LogError::Refused`]; nothing was copied unless the connection was lost during the commit, which
    /// [`PostgresLog::head`] tells.
    pub async fn import(&self, from: &Log) -> Result<Head, LogError> {
        let head = from.head().await?;
        let mut transaction = self.0.pool.begin().await.map_err(failed)?;
        table::lock(&mut transaction).await?;
        if table::head(&mut *transaction).await? != Head::EMPTY {
            return Err(LogError::NotEmpty {
                target: format!("the table {}", table::TABLE),
            });
        }
        let mut pages = Pages::new(from, head);
        while let Some(page) = pages.next().await? {
            table::insert(&mut transaction, &page).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        announce(&self.0.newest, head.seq);
        Ok(head)
    }
}
