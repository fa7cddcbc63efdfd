//! The figures for a scraper, in the text form of `OpenMetrics` 1.0.

use std::fmt::Write as _;

use keygate_gateway::figures::{BOUNDS, Figures};

/// The content type.
pub(super) const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The figures.
pub(super) fn text(figures: &Figures) -> String {
    let mut text = String::new();
    requests(&mut text, figures);
    for (name, help, count) in [
        (
            "keygate_authorizer_calls",
            "Requests that the authorizer's function was called for.",
            figures.authorizer_calls,
        ),
        (
            "keygate_authorizer_cache_hits",
            "Requests that an answer of the authorizer was kept for.",
            figures.authorizer_hits,
        ),
    ] {
        add(&mut text, &format!("# TYPE {name} counter"));
        add(&mut text, &format!("# HELP {name} {help}"));
        add(&mut text, &format!("{name}_total {count}"));
    }
    latency(&mut text, figures);
    add(&mut text, "# EOF");
    text
}

fn add(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn requests(text: &mut String, figures: &Figures) {
    let name = "keygate_requests";
    add(text, &format!("# TYPE {name} counter"));
    add(
        text,
        &format!("# HELP {name} Requests by resource, empty where none serves them, and status."),
    );
    for (route, statuses) in &figures.answered {
        let route = escaped(route);
        for (status, count) in statuses {
            let labels = format!("route=\"{route}\",status=\"{status}\"");
            add(text, &format!("{name}_total{{{labels}}} {count}"));
        }
    }
}

fn latency(text: &mut String, figures: &Figures) {
    let latency = &figures.latency;
    let name = "keygate_request_duration_seconds";
    add(text, &format!("# TYPE {name} histogram"));
    add(text, &format!("# UNIT {name} seconds"));
    add(
        text,
        &format!("# HELP {name} From a request's arrival to its answer."),
    );
    let mut so_far = 0;
    for (bucket, count) in latency.buckets.iter().enumerate() {
        so_far += count;
        let bound = BOUNDS.get(bucket);
        let bound = bound.map_or("+Inf".to_owned(), |bound| (bound / 1_000.0).to_string());
        add(text, &format!("{name}_bucket{{le=\"{bound}\"}} {so_far}"));
    }
    add(text, &format!("{name}_count {so_far}"));
    add(text, &format!("{name}_sum {}", latency.sum / 1_000.0));
}

/// A label's value.
fn escaped(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    escaped.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn figures_are_counters_and_a_histogram_that_adds_up() {
        let mut figures = Figures {
            authorizer_calls: 2,
            authorizer_hits: 3,
            ..Figures::default()
        };
        let statuses = BTreeMap::from([(200, 4), (401, 1)]);
        figures.answered.insert("/a\"b".to_owned(), statuses);
        figures.latency.buckets[3] = 4;
        figures.latency.buckets[BOUNDS.len()] = 1;
        figures.latency.sum = 31_002.5;
        let text = text(&figures);
        for line in [
            r#"keygate_requests_total{route="/a\"b",status="200"} 4"#,
            "keygate_authorizer_cache_hits_total 3",
            r#"keygate_request_duration_seconds_bucket{le="0.0005"} 0"#,
            r#"keygate_request_duration_seconds_bucket{le="0.001"} 4"#,
            r#"keygate_request_duration_seconds_bucket{le="30"} 4"#,
            r#"keygate_request_duration_seconds_bucket{le="+Inf"} 5"#,
            "keygate_request_duration_seconds_count 5",
            "keygate_request_duration_seconds_sum 31.0025",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}: {text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
    }
}
