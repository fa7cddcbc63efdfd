//! An API's `MethodSettings`: throttles of the stage's methods (CloudFormation template reference,
//! `AWS::ApiGateway::Stage MethodSetting`). Metrics and execution logs go nowhere here.

use std::collections::BTreeMap;

use keygate_model::{Route, Throttle};
use keygate_routes::{METHODS, RouteMethod};

use super::fields::Fields;
use super::problems::Problems;

/// What API Gateway gives an account where a setting names only one of the two.
const ACCOUNT: Throttle = Throttle {
    rate: 10_000.0,
    burst: 5_000,
};

/// The throttles that settings ask for.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    /// Of every method that has none of its own.
    every: Option<Throttle>,
    /// By [`Route::key`], with place and line.
    of_methods: BTreeMap<String, (Throttle, String, usize)>,
}

/// Reads the settings.
pub(super) fn read(settings: Vec<Fields<'_>>) -> Throttles {
    let mut throttles = Throttles::default();
    for mut fields in settings {
        fields.pass_over(&["DataTraceEnabled", "LoggingLevel", "MetricsEnabled"]);
        fields.only_off(&["CacheDataEncrypted", "CachingEnabled"]);
        let rate = fields.number("ThrottlingRateLimit", &(0.001..=1e9));
        let burst = fields.number("ThrottlingBurstLimit", &(1..=u32::MAX));
        let path = fields.text("ResourcePath");
        let method = fields.text("HttpMethod");
        if rate.is_some() || burst.is_some() {
            let throttle = Throttle {
                rate: rate.unwrap_or(ACCOUNT.rate),
                burst: burst.unwrap_or(ACCOUNT.burst),
            };
            throttles.add(throttle, path.as_deref(), method.as_deref(), &fields);
        }
        fields.end();
    }
    throttles
}

impl Throttles {
    fn add(
        &mut self,
        throttle: Throttle,
        path: Option<&str>,
        method: Option<&str>,
        fields: &Fields<'_>,
    ) {
        match (path, method) {
            (Some("/*" | "*"), Some("*")) => self.every = Some(throttle),
            (Some(path), Some(method)) if !path.contains('*') && method != "*" => {
                // CloudFormation writes `/` within a path as `~1`.
                let path = path.replace("~1", "/").replacen("//", "/", 1);
                let at = (throttle, fields.place().to_owned(), fields.line());
                self.of_methods
                    .insert(format!("{path}/{}", method.to_uppercase()), at);
            }
            _ => fields.report(
                "a throttle is of one method (ResourcePath and HttpMethod), or of all (`/*` and `*`): \
                 API Gateway knows nothing between",
            ),
        }
    }

    /// Gives the routes their throttles.
    pub(super) fn apply(mut self, routes: &mut [Route], problems: &Problems) {
        for route in routes.iter_mut() {
            let own = self.of_methods.remove(&route.key());
            route.throttle = own.map(|(throttle, ..)| throttle).or(self.every);
        }
        // What is left names a method that an `ANY` stands for, or none.
        for route in routes {
            if !matches!(route.method, RouteMethod::Any) {
                continue;
            }
            for method in &METHODS {
                let own = self.of_methods.remove(&format!("{}/{method}", route.path));
                let own = own.map(|(throttle, ..)| (method.to_string(), throttle));
                route.throttles.extend(own);
            }
        }
        for (key, (_, place, line)) in self.of_methods {
            problems.report(line, &place, format!("the API has no method {key}"));
        }
    }
}
