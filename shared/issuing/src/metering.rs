//! Where and how holders are metered: the usage plans at API Gateway, and the stack that they are of.

use std::collections::BTreeMap;

use aws_sdk_apigateway::types::UsagePlan;
use aws_sdk_apigateway::{Client, Error};
use tokio::sync::Mutex;

use crate::apigateway::ApiGatewayError;
use crate::pages;
use crate::remembered::Remembered;
use crate::stage::{Flush, Stage};
use crate::usage_plans::UsagePlans;

/// How many entries a page of a list has, the most that API Gateway gives.
pub(crate) const PAGE: i32 = 500;

/// A stack's usage plans, and API Gateway.
#[derive(Debug)]
pub(crate) struct Metering {
    pub(crate) client: Client,
    plans: UsagePlans,
    stack: String,
    /// API Gateway's ids of usage plans, by what the configuration calls them.
    known_plans: Mutex<BTreeMap<String, String>>,
    /// When the usage keys of plans were last used.
    pub(crate) last_used: Remembered,
}

impl Metering {
    pub(crate) fn new(client: Client, plans: UsagePlans, stack: String) -> Self {
        Self {
            client,
            plans,
            stack,
            known_plans: Mutex::default(),
            last_used: Remembered::default(),
        }
    }

    pub(crate) fn plans(&self) -> &UsagePlans {
        &self.plans
    }

    /// The name of the stack whose tag its usage keys carry.
    pub(crate) fn stack(&self) -> &str {
        &self.stack
    }

    /// API Gateway's id of a plan. The template cannot tell the function, as that would be a
    /// circle (plan, API, function), so each is looked up once.
    pub(crate) async fn plan_id(&self, target: &str) -> Result<String, ApiGatewayError> {
        let mut known = self.known_plans.lock().await;
        if let Some(id) = known.get(target) {
            return Ok(id.clone());
        }
        let plans = self.listed_plans(None).await?;
        let mut ids = plans
            .iter()
            .filter(|plan| is_called(plan, target))
            .filter_map(UsagePlan::id);
        match (ids.next(), ids.next()) {
            (Some(id), None) => {
                known.insert(target.to_owned(), id.to_owned());
                Ok(id.to_owned())
            }
            (found, _) => {
                let many = if found.is_some() { "several" } else { "no" };
                Err(ApiGatewayError::Refused(format!(
                    "there are {many} usage plans with the id or name {target}"
                )))
            }
        }
    }

    /// Has plans be looked up again.
    pub(crate) async fn forget_plans(&self) {
        self.known_plans.lock().await.clear();
    }

    /// Usage plans at API Gateway; of one usage key, if one is given.
    pub(crate) async fn listed_plans(
        &self,
        key_id: Option<&str>,
    ) -> Result<Vec<UsagePlan>, ApiGatewayError> {
        let pages = self
            .client
            .get_usage_plans()
            .set_key_id(key_id.map(ToOwned::to_owned))
            .into_paginator()
            .page_size(PAGE)
            .send();
        Ok(pages::entries(pages, |page| page.items).await?)
    }

    /// The first stage that a configured plan covers.
    pub(crate) async fn stage(&self) -> Result<Option<Stage>, ApiGatewayError> {
        let plans = self.listed_plans(None).await?;
        let configured = |plan: &&UsagePlan| {
            let mut own = self.plans.iter();
            own.any(|own| is_called(plan, &own.target))
        };
        let stages = plans.iter().filter(configured);
        let mut stages = stages.flat_map(UsagePlan::api_stages);
        Ok(stages.find_map(|stage| {
            Some(Stage {
                api_id: stage.api_id()?.to_owned(),
                name: stage.stage()?.to_owned(),
            })
        }))
    }

    /// API Gateway's ids of the usage keys on the plan of this id.
    pub(crate) async fn on_plan(&self, plan_id: &str) -> Result<Vec<String>, ApiGatewayError> {
        let pages = self
            .client
            .get_usage_plan_keys()
            .usage_plan_id(plan_id)
            .into_paginator()
            .page_size(PAGE)
            .send();
        let members = pages::entries(pages, |page| page.items).await?;
        Ok(members.into_iter().filter_map(|key| key.id).collect())
    }

    /// Empties a stage's cache of authorizer answers.
    pub(crate) async fn flush(&self, stage: &Stage) -> Result<Flush, ApiGatewayError> {
        let flushed = self
            .client
            .flush_stage_authorizers_cache()
            .rest_api_id(&stage.api_id)
            .stage_name(&stage.name)
            .send()
            .await;
        match flushed.map_err(Error::from) {
            Ok(_) => Ok(Flush::Done),
            Err(Error::NotFoundException(_)) => Ok(Flush::NoSuchStage),
            Err(error) => Err(ApiGatewayError::of(error)),
        }
    }
}

/// Whether a usage plan has this id or name.
fn is_called(plan: &UsagePlan, target: &str) -> bool {
    plan.id() == Some(target) || plan.name() == Some(target)
}
