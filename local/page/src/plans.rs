//! Usage plans, with what is left to each usage key.

use maud::{Markup, html};

use super::layout::seen;
use keygate_gateway::trip::{PlanLeft, QuotaLeft, TokensLeft};
use keygate_gateway::{Control, Listed};

/// How many keys are looked at: the page of a stage with more shows the first of them.
const LOOKED_AT: usize = 1_000;
/// How many gauges are shown beside the requests, and by themselves.
pub(super) const BESIDE: usize = 5;
pub(super) const ALONE: usize = 100;

/// A usage key with what is left to it.
struct Gauge {
    plan: String,
    key: Listed,
    left: PlanLeft,
    /// Methods with a throttle of their own.
    methods: Vec<(String, TokensLeft)>,
}

/// The gauges beside the requests.
pub(super) fn section(control: &Control) -> Markup {
    html! {
        section.card aria-labelledby="plans-title" {
            h2 id="plans-title" { "Usage plans" }
            div id="plans" { (content(control, BESIDE)) }
        }
    }
}

/// The gauges by themselves.
pub(super) fn view(control: &Control) -> Markup {
    html! {
        section.plans aria-labelledby="plans-title" {
            div.heading {
                h1 id="plans-title" { "Usage plans" }
                p.live role="status" id="live" { "Reload to see what is left now." }
                button type="button" id="pause" hidden { "Pause" }
            }
            p.lead {
                "What is left to each usage key: of the tokens that its requests may take at once, which come "
                "back at the plan's rate, and of the quota of the period, in UTC."
            }
            h2 { "What is left" }
            div.gauges id="plans" { (content(control, ALONE)) }
            h2 { "The plans" }
            (table(control))
        }
    }
}

/// The plans themselves.
fn table(control: &Control) -> Markup {
    let usage = &control.usage;
    let keys_on = |id: &str| {
        usage
            .keys(None, LOOKED_AT, |key| key.plan.as_deref() == Some(id))
            .len()
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="The plans" {
            table {
                caption.unseen { "Usage plans, with their limits for each usage key" }
                thead {
                    tr {
                        th scope="col" { "Plan" }
                        th.number scope="col" { "Requests a second" }
                        th.number scope="col" { "At once" }
                        th.number scope="col" { "Quota" }
                        th.number scope="col" { "Usage keys" }
                    }
                }
                tbody {
                    @for plan in usage.plans() {
                        tr {
                            th scope="row" { (seen(&plan.name)) @if !plan.is_of_stage { " " span.chip { "of another stage" } } }
                            td.number { @if let Some(throttle) = plan.throttle { (throttle.rate) } @else { "any" } }
                            td.number { @if let Some(throttle) = plan.throttle { (throttle.burst) } @else { "any" } }
                            td.number {
                                @if let Some(quota) = plan.quota { (quota.limit) " a " (quota.period.name().to_lowercase()) }
                                @else { "none" }
                            }
                            td.number { (keys_on(&plan.id)) }
                        }
                    }
                }
            }
        }
    }
}

/// What changes with each request, and with time: the keys that were used most today first.
pub(super) fn content(control: &Control, limit: usize) -> Markup {
    let gauges = gauges(control);
    let more = gauges.len().saturating_sub(limit);
    html! {
        @if gauges.is_empty() {
            p.empty { "No usage key is on a plan of this stage." }
        }
        @for gauge in gauges.iter().take(limit) { (shown(gauge)) }
        @if more > 0 && limit < ALONE {
            p.note { a href="plans" { "All usage keys, " (more) " more" } }
        } @else if more > 0 {
            p.note { (more) " usage keys more, less used today" }
        }
    }
}

fn gauges(control: &Control) -> Vec<Gauge> {
    let usage = &control.usage;
    let keys = usage.keys(None, LOOKED_AT, |listed| listed.plan.is_some());
    let gauges = keys.into_iter().filter_map(|key| {
        let plan = usage.plan(key.plan.as_deref()?).ok()?;
        let left = usage.left(&key.key.value, None)?;
        let methods = plan.method_throttles.keys().filter_map(|method| {
            let tokens = usage.left(&key.key.value, Some(method))?.tokens?;
            Some((method.clone(), tokens))
        });
        Some(Gauge {
            plan: plan.name.clone(),
            left,
            methods: methods.collect(),
            key,
        })
    });
    let mut gauges: Vec<Gauge> = gauges.collect();
    // Stable, so that keys with as many requests keep their places.
    gauges.sort_by_key(|gauge| std::cmp::Reverse(gauge.left.today));
    gauges
}

fn shown(gauge: &Gauge) -> Markup {
    let Gauge {
        plan,
        key,
        left,
        methods,
    } = gauge;
    let name = match key.key.name.as_str() {
        "" => key.key.id.as_str(),
        name => name,
    };
    html! {
        article.gauge {
            h3 { (seen(name)) " " span.plan { "on " (seen(plan)) } }
            @if !key.key.enabled { p.note { "Disabled: its requests are refused." } }
            @if let Some(tokens) = &left.tokens { (bar("Tokens", &tokens_said(tokens), tokens.left, f64::from(tokens.burst))) }
            @for (method, tokens) in methods {
                (bar(method, &tokens_said(tokens), tokens.left, f64::from(tokens.burst)))
            }
            @if let Some(quota) = &left.quota { (quota_bar(quota)) }
            p.note { (left.today) (if left.today == 1 { " request today" } else { " requests today" }) }
        }
    }
}

/// What is left of tokens, in words.
pub(super) fn tokens_said(tokens: &TokensLeft) -> String {
    let TokensLeft { left, burst, rate } = tokens;
    format!("{left} of {burst}, {rate} more a second")
}

/// What is left of a quota, in words.
pub(super) fn quota_said(quota: &QuotaLeft) -> String {
    let period = quota.period.to_lowercase();
    format!("{} of {} this {period}", quota.left, quota.limit)
}

fn quota_bar(quota: &QuotaLeft) -> Markup {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a bar is some hundred dots long"
    )]
    let (left, limit) = (quota.left as f64, quota.limit as f64);
    bar("Quota", &quota_said(quota), left, limit)
}

/// A bar that is as full as what is left, and says so.
fn bar(name: &str, said: &str, left: f64, of: f64) -> Markup {
    let part = if of > 0.0 {
        (left / of).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let tone = match part {
        ..0.1 => "bad",
        0.1..0.35 => "warn",
        _ => "good",
    };
    let percent = (part * 1_000.0).round() / 10.0;
    html! {
        div.meter role="meter" aria-label=(seen(name)) aria-valuemin="0" aria-valuemax=(of)
            aria-valuenow=(left.min(of)) aria-valuetext=(said) {
            span.label { (seen(name)) }
            span.said { (said) }
            svg.bar aria-hidden="true" width="100%" height="8" {
                rect.track width="100%" height="8" rx="4" {}
                @if part > 0.0 { rect class=(tone) width={ (percent) "%" } height="8" rx="4" {} }
            }
        }
    }
}
