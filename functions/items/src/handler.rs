//! The routes of items.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws_sdk_dynamodb::Error;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use keygate_problem::{NOT_FOUND, Problem};
use keygate_proxy::{self as proxy, Page, ProxyRequest};
use lambda_http::http::header::{ETAG, HeaderValue};
use lambda_http::{Body, Response};
use uuid::Uuid;

use crate::item::Item;
use crate::table::{self, Table, text, unanswered};
use crate::{idempotency, precondition};

type Answer = Result<Response<Body>, Problem>;

/// A request, and whose rows it can reach: the caller's own and no others.
struct Items<'a> {
    request: &'a ProxyRequest,
    table: &'a Table,
    owner: &'a str,
}

/// Answers one request.
pub(crate) async fn answer(request: ProxyRequest, table: Arc<Table>) -> Answer {
    let caller = request.caller()?;
    let items = Items {
        request: &request,
        table: &table,
        owner: caller.principal(),
    };
    match (request.method().as_str(), request.resource_path()) {
        ("GET", "/items") => items.list().await,
        ("POST", "/items") => items.create().await,
        ("GET", "/items/{id}") => items.read().await,
        ("PUT", "/items/{id}") => items.replace().await,
        ("DELETE", "/items/{id}") => items.delete().await,
        _ => Err(Problem::new(&NOT_FOUND, "No route of items is here.")),
    }
}

impl Items<'_> {
    async fn list(&self) -> Answer {
        let limit = self.request.limit()?;
        let after: Option<Uuid> = self.request.cursor()?;
        let query = self.table.client.query().table_name(&self.table.name);
        let page = query
            .key_condition_expression("#owner = :owner AND begins_with(sk, :item)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(self.owner))
            .expression_attribute_values(":item", text("item#"))
            .set_exclusive_start_key(after.map(|id| table::key(self.owner, id)))
            .consistent_read(true)
            // One more tells whether this page is the last: DynamoDB names a next one also when the
            // limit falls on the end. It reads 1 MB at most, so fewer do not mean the end.
            .limit(limit + 1)
            .send()
            .await
            .map_err(unanswered)?;
        let rows = page.items();
        let size = usize::try_from(limit).unwrap_or_default();
        let more = rows.len() > size || page.last_evaluated_key().is_some();
        let items: Result<Vec<_>, _> = rows.iter().take(size).map(table::item).collect();
        let entries = items?;
        let next = entries.last().filter(|_| more).map(|item| item.id);
        proxy::json(200, &Page::new(entries, next.as_ref())?)
    }

    async fn create(&self) -> Answer {
        let key = idempotency::key(self.request.headers())?;
        let new = Item::new(self.request)?;
        let item = match key {
            Some(key) => idempotency::create(self.table, self.owner, key, new).await?,
            // No condition that the id is new, which 74 random bits see to: the SDK's second try,
            // when the first one's answer was lost, would meet the first one's item.
            None => match self.put(&new)?.send().await {
                Ok(_) => new,
                Err(error) => return Err(unanswered(error)),
            },
        };
        let response = proxy::created(self.request, &format!("/items/{}", item.id), &item)?;
        Ok(tagged(response, &item))
    }

    async fn read(&self) -> Answer {
        let item = self.named().await?;
        let headers = self.request.headers();
        // In this order (RFC 9110 section 13.2.2).
        if precondition::if_match(headers, &item.etag)? == Some(false) {
            return Err(precondition::failed());
        }
        if precondition::if_none_match(headers, &item.etag)? == Some(false) {
            return Ok(tagged(proxy::empty(304), &item));
        }
        Ok(tagged(proxy::json(200, &item)?, &item))
    }

    async fn replace(&self) -> Answer {
        let new = Item::new(self.request)?;
        let former = self.named().await?;
        let item = Item {
            id: former.id,
            created_at: former.created_at,
            ..new
        };
        let only = precondition::only(self.request.headers(), &former.etag)?;
        let put = match only {
            // The SDK's second try, when the first one's answer was lost, meets its own item.
            Some(etag) => self
                .put(&item)?
                .condition_expression("etag IN (:former, :new)")
                .expression_attribute_values(":former", text(etag))
                .expression_attribute_values(":new", text(&item.etag)),
            None => self
                .put(&item)?
                .condition_expression("attribute_exists(sk)"),
        };
        match put.send().await.map_err(Error::from) {
            Ok(_) => Ok(tagged(proxy::json(200, &item)?, &item)),
            Err(Error::ConditionalCheckFailedException(_)) if only.is_none() => Err(not_found()),
            Err(error) => Err(not_written(error)),
        }
    }

    async fn delete(&self) -> Answer {
        let item = self.named().await?;
        let only = precondition::only(self.request.headers(), &item.etag)?;
        let delete = self.table.client.delete_item().table_name(&self.table.name);
        let keyed = delete.set_key(Some(table::key(self.owner, item.id)));
        let guarded = match only {
            // One that is gone by now is deleted, if only by the SDK's first try.
            Some(etag) => keyed
                .condition_expression("attribute_not_exists(sk) OR etag = :former")
                .expression_attribute_values(":former", text(etag)),
            None => keyed,
        };
        guarded.send().await.map_err(not_written)?;
        Ok(proxy::empty(204))
    }

    /// The item that the path names, or 404.
    async fn named(&self) -> Result<Item, Problem> {
        let name = self.request.path_parameter("id").unwrap_or_default();
        let id = Uuid::try_parse(name).map_err(|_| not_found())?;
        // One spelling for one item: what the API itself writes.
        if id.to_string() != name {
            return Err(not_found());
        }
        let get = self.table.client.get_item().table_name(&self.table.name);
        let keyed = get.set_key(Some(table::key(self.owner, id)));
        let got = keyed.consistent_read(true).send().await;
        let row = got.map_err(unanswered)?.item;
        table::item(&row.ok_or_else(not_found)?)
    }

    /// The write of an item.
    fn put(&self, item: &Item) -> Result<PutItemFluentBuilder, Problem> {
        let put = self.table.client.put_item().table_name(&self.table.name);
        Ok(put.set_item(Some(table::row(self.owner, item)?)))
    }
}

fn tagged(mut response: Response<Body>, item: &Item) -> Response<Body> {
    if let Ok(etag) = HeaderValue::from_str(&item.etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

fn not_found() -> Problem {
    Problem::new(&NOT_FOUND, "There is no item of yours with this id.")
}

/// 412 when the item has changed since it was read.
fn not_written(error: impl Into<Error>) -> Problem {
    match error.into() {
        Error::ConditionalCheckFailedException(_) => precondition::failed(),
        error => unanswered(error),
    }
}
