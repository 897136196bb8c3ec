//! Lists in pages.

use credo_auth_store::admin::PageQuery;

/// Which page of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<Id> {
    /// The last id of the page before.
    pub after: Option<Id>,
    /// The most items, at least 1.
    pub size: u16,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
}

impl<Id> PageRequest<Id> {
    /// Asks for one item more than the page holds, which tells whether there are more.
    pub(super) fn query(self) -> PageQuery<Id> {
        PageQuery {
            after: self.after,
            limit: i64::from(self.size) + 1,
        }
    }
}

impl<T> Page<T> {
    /// Cuts what a query of [`PageRequest::query`] gave.
    pub(super) fn cut(mut items: Vec<T>, size: u16) -> Self {
        let has_more = items.len() > usize::from(size);
        items.truncate(size.into());
        Self { items, has_more }
    }
}
