//! Lists that come in pages, read whole.

use aws_smithy_async::future::pagination_stream::PaginationStream;

/// How many pages a list may have. API Gateway's longest, 10,000 API keys in an account, has 20; a
/// scan of `DynamoDB` reads 1 MB a page. The SDK ends a list only where a page names itself as the
/// next.
const MAX_PAGES: usize = 1_000;

/// A list that goes on and on, after so many pages.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the list has not ended after {0} pages")]
pub(crate) struct Endless(usize);

/// Why a list was not read to its end.
#[derive(Debug)]
pub(crate) enum PagesError<E> {
    /// A page did not come.
    Failed(E),
    /// There are too many.
    Endless(Endless),
}

/// The entries of all pages.
pub(crate) async fn entries<P, T, E>(
    pages: PaginationStream<Result<P, E>>,
    of_page: impl Fn(P) -> Option<Vec<T>>,
) -> Result<Vec<T>, PagesError<E>> {
    entries_within(MAX_PAGES, pages, of_page).await
}

/// The same of a list that has so many pages at most.
pub(crate) async fn entries_within<P, T, E>(
    most: usize,
    mut pages: PaginationStream<Result<P, E>>,
    of_page: impl Fn(P) -> Option<Vec<T>>,
) -> Result<Vec<T>, PagesError<E>> {
    let mut entries = Vec::new();
    // The list ends behind its last page.
    for _ in 0..=most {
        match pages.try_next().await.map_err(PagesError::Failed)? {
            Some(page) => entries.extend(of_page(page).unwrap_or_default()),
            None => return Ok(entries),
        }
    }
    Err(PagesError::Endless(Endless(most)))
}

#[cfg(test)]
mod tests {
    use aws_smithy_async::future::pagination_stream::fn_stream::FnStream;

    use super::*;

    /// So many pages, each with its number, of which one in three is empty; then `last`.
    fn pages(
        count: usize,
        last: Option<&'static str>,
    ) -> PaginationStream<Result<Option<Vec<usize>>, &'static str>> {
        PaginationStream::new(FnStream::new(move |pages| {
            Box::pin(async move {
                for number in 0..count {
                    let page = (number % 3 != 0).then(|| vec![number]);
                    if pages.send(Ok(page)).await.is_err() {
                        return;
                    }
                }
                if let Some(error) = last {
                    let _ = pages.send(Err(error)).await;
                }
            })
        }))
    }

    #[tokio::test]
    async fn a_list_has_the_entries_of_all_its_pages() {
        let entries = entries(pages(7, None), |page| page).await.unwrap();
        assert_eq!(entries, [1, 2, 4, 5]);
    }

    #[tokio::test]
    async fn a_list_without_its_last_page_is_none() {
        let outcome = entries(pages(7, Some("throttled")), |page| page).await;
        assert!(matches!(outcome, Err(PagesError::Failed("throttled"))));
    }

    #[tokio::test]
    async fn a_list_that_does_not_end_is_given_up() {
        let outcome = entries(pages(usize::MAX, None), |page| page).await;
        assert!(matches!(outcome, Err(PagesError::Endless(_))));
        assert!(entries(pages(MAX_PAGES, None), |page| page).await.is_ok());
    }
}
