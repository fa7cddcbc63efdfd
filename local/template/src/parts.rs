//! What the resources of a template come to, beside its API.

use std::collections::{BTreeMap, BTreeSet};

use keygate_model::deployment::{alias_arn, function_arn};
use keygate_model::{Function, Ignored, Table};

use super::functions;
use super::layers::Layers;
use super::method::Event;
use super::permissions::Permissions;
use super::resolve::Resolver;
use super::resources::{self, Resource};
use super::tables;
use super::usage_plans::Drafts;
use super::yaml::Value;

/// The resources by what they are.
#[derive(Default)]
pub(super) struct Parts {
    /// By logical id.
    pub(super) functions: BTreeMap<String, Function>,
    /// Logical ids of functions by ARN.
    pub(super) by_arn: BTreeMap<String, String>,
    /// The requests that functions ask for.
    pub(super) events: Vec<Event>,
    /// What calls functions beside the API.
    pub(super) ignored: Vec<Ignored>,
    pub(super) tables: Vec<Table>,
    pub(super) layers: Layers,
    pub(super) plans: Drafts,
    pub(super) permissions: Permissions,
}

impl Parts {
    /// Reads the resources.
    pub(super) fn read(resources: Vec<Resource<'_>>, resolver: &Resolver<'_>) -> Self {
        let mut parts = Self::default();
        for resource in resources {
            match resource.kind.as_str() {
                resources::FUNCTION => parts.function(resource, resolver),
                resources::LAYER => parts.layers.read(resource),
                resources::TABLE => {
                    let name = resolver.reference(&resource.id, resource.line, &resource.id);
                    if let Value::Text(name) = name {
                        parts.tables.extend(tables::read(resource, name));
                    }
                }
                resources::USAGE_PLAN => parts.plans.plan(resource),
                resources::API_KEY => parts.plans.key(resource),
                resources::PERMISSION => parts.permissions.read(resource),
                _ => parts.plans.link(resource),
            }
        }
        for event in &parts.events {
            if let Some(name) = event.function().and_then(|id| parts.functions.get(id)) {
                parts.permissions.of_event(event, &name.name);
            }
        }
        for function in parts.functions.values_mut() {
            parts.layers.resolve(function, resolver.problems);
        }
        parts
    }

    /// Leaves out the functions that CloudFormation alone calls: among its `providers` of custom resources
    /// those that the API does not call.
    pub(super) fn leave_out(
        &mut self,
        providers: &[String],
        called: &BTreeSet<&str>,
        resolver: &Resolver<'_>,
    ) {
        for entry in resolver.resources.entries() {
            let id = &entry.name;
            if providers.contains(id)
                && !called.contains(id.as_str())
                && self.functions.remove(id).is_some()
            {
                self.ignored.push(Ignored {
                    line: entry.line,
                    place: id.clone(),
                    kind: resources::FUNCTION.to_owned(),
                });
            }
        }
    }

    fn function(&mut self, resource: Resource<'_>, resolver: &Resolver<'_>) {
        let name = resolver.reference(&resource.id, resource.line, &resource.id);
        if let Value::Text(name) = name {
            let arn = function_arn(&name);
            if self.by_arn.insert(arn, resource.id.clone()).is_some() {
                let message = format!("two functions are named `{name}`");
                let problems = resolver.problems;
                problems.report(resource.line, &resource.id, message);
            }
        }
        let read = functions::read(resource);
        let function = read.function;
        let alias = function.iter().filter_map(|function| {
            let alias = function.alias.as_deref()?;
            Some((alias_arn(&function.name, alias), function.id.clone()))
        });
        self.by_arn.extend(alias);
        self.functions
            .extend(function.map(|function| (function.id.clone(), function)));
        self.events.extend(read.events);
        self.ignored.extend(read.ignored);
    }
}
