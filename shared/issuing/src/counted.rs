//! What API Gateway has counted (`GetUsage`, API Gateway REST API reference): for each usage key of a
//! plan a pair a day, requests and what was left of the quota at its end.

use aws_sdk_apigateway::Error;
use aws_sdk_apigateway::operation::get_usage::GetUsageOutput;
use jiff::Span;
use jiff::civil::Date;

use crate::apigateway::ApiGatewayError;
use crate::days::Days;
use crate::metering::{Metering, PAGE};
use crate::pages::{self, PagesError};

/// One day of one usage key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) day: Date,
    pub(crate) requests: u64,
    /// Nothing where the plan has no quota.
    pub(crate) remaining: Option<u64>,
}

impl Metering {
    /// What was counted on these days by a usage key of a plan, or by all of the plan's, by API
    /// Gateway's id of each; `None` when API Gateway has no such plan or usage key. It is read in at most
    /// so many pages.
    pub(crate) async fn counted(
        &self,
        plan_id: &str,
        key_id: Option<&str>,
        days: Days,
        pages: usize,
    ) -> Result<Option<Vec<(String, Vec<Counted>)>>, ApiGatewayError> {
        let usage = self
            .client
            .get_usage()
            .usage_plan_id(plan_id)
            .set_key_id(key_id.map(str::to_owned))
            .start_date(days.from.to_string())
            .end_date(days.to.to_string())
            .into_paginator()
            .page_size(PAGE)
            .send();
        match pages::entries_within(pages, usage, |page| of_page(page, days.from)).await {
            Ok(counted) => Ok(Some(counted)),
            Err(PagesError::Failed(error)) => match Error::from(error) {
                Error::NotFoundException(_) => Ok(None),
                error => Err(ApiGatewayError::of(error)),
            },
            Err(PagesError::Endless(error)) => Err(ApiGatewayError::Refused(error.to_string())),
        }
    }
}

/// The usage keys of a page. Their pairs begin with the day that the page says, or with `from`.
fn of_page(page: GetUsageOutput, from: Date) -> Option<Vec<(String, Vec<Counted>)>> {
    let said = page.start_date.and_then(|date| date.parse().ok());
    let first = said.unwrap_or(from);
    let keys = page.items?.into_iter();
    Some(
        keys.map(|(key_id, pairs)| (key_id, by_day(first, &pairs)))
            .collect(),
    )
}

fn by_day(first: Date, pairs: &[Vec<i64>]) -> Vec<Counted> {
    let days = first.series(Span::new().days(1));
    let number = |pair: &[i64], at: usize| pair.get(at).and_then(|&number| number.try_into().ok());
    days.zip(pairs)
        .map(|(day, pair)| Counted {
            day,
            requests: number(pair, 0).unwrap_or_default(),
            remaining: number(pair, 1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_a_day_of_the_page_s() {
        // As an account answered it (floci-io/floci, pull request 3561).
        let pairs = [vec![137, 999_863], vec![123, 999_740], vec![84, 999_656]];
        let page = GetUsageOutput::builder()
            .start_date("2026-09-29")
            .items("58v93i1885", pairs.into())
            .build();
        let keys = of_page(page, "2026-09-01".parse().unwrap()).unwrap();
        let (key_id, counted) = &keys[0];
        assert_eq!(key_id, "58v93i1885");
        let last = Counted {
            day: "2026-10-01".parse().unwrap(),
            requests: 84,
            remaining: Some(999_656),
        };
        assert_eq!(counted[2], last);
    }

    #[test]
    fn what_no_pair_says_is_not_known() {
        let counted = by_day(
            "2026-09-01".parse().unwrap(),
            &[vec![5], vec![], vec![2, -1]],
        );
        let all = counted.iter().map(|day| (day.requests, day.remaining));
        assert_eq!(all.collect::<Vec<_>>(), [(5, None), (0, None), (2, None)]);
    }
}
