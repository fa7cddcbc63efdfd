//! How long requests took, as a histogram.

use maud::{Markup, html};

use keygate_gateway::figures::{BOUNDS, Figures, Latency};

/// The drawing, in its own units.
const WIDTH: u32 = 360;
const HEIGHT: u32 = 120;
const GROUND: u32 = 96;
/// Every how many buckets have their bound written.
const LABELLED: usize = 3;

/// The histogram with its figures.
pub(super) fn section(figures: &Figures) -> Markup {
    html! {
        section.card aria-labelledby="latency-title" {
            h2 id="latency-title" { "Latency" }
            div id="latency" { (content(figures)) }
        }
    }
}

/// What changes with each request.
pub(super) fn content(figures: &Figures) -> Markup {
    let latency = &figures.latency;
    let count = latency.count();
    let (calls, hits) = (figures.authorizer_calls, figures.authorizer_hits);
    html! {
        @if count == 0 {
            p.empty { "Nothing was measured yet." }
        } @else {
            dl.figures {
                div { dt { "Requests" } dd { (count) } }
                @for (name, part) in [("Half within", 0.5), ("95% within", 0.95), ("99% within", 0.99)] {
                    div { dt { (name) } dd { (within(latency, part)) } }
                }
            }
            (drawing(latency))
            details {
                summary { "The histogram as a table" }
                (table(latency))
            }
        }
        p.note {
            "The authorizer was called for " (calls) (noun(calls)) ", and an answer was kept for "
            (hits) (noun(hits)) "."
        }
    }
}

fn noun(count: u64) -> &'static str {
    if count == 1 { " request" } else { " requests" }
}

fn within(latency: &Latency, part: f64) -> String {
    let bound = latency.within(part);
    bound.map_or_else(|| "over 30 s".to_owned(), time)
}

/// A bound, as it is read.
fn time(milliseconds: f64) -> String {
    if milliseconds < 1_000.0 {
        format!("{milliseconds} ms")
    } else {
        format!("{} s", milliseconds / 1_000.0)
    }
}

/// The range of a bucket, as it is read.
fn range(bucket: usize) -> String {
    match (bucket.checked_sub(1), BOUNDS.get(bucket)) {
        (None, Some(bound)) => format!("up to {}", time(*bound)),
        (Some(before), Some(bound)) => format!("{} to {}", time(BOUNDS[before]), time(*bound)),
        (_, None) => "over 30 s".to_owned(),
    }
}

fn drawing(latency: &Latency) -> Markup {
    let buckets = latency.buckets.iter().enumerate();
    let most = latency.buckets.iter().max().copied().unwrap_or(1).max(1);
    let mut fullest = latency.buckets.iter();
    let fullest = fullest.position(|count| *count == most).unwrap_or_default();
    let words = format!(
        "A histogram of {} requests. Most, {most}, took {}; half took up to {}, and 99% up to {}.",
        latency.count(),
        range(fullest),
        within(latency, 0.5),
        within(latency, 0.99)
    );
    let step = WIDTH / u32::try_from(latency.buckets.len()).unwrap_or(1);
    let at = |bucket: usize| u32::try_from(bucket).unwrap_or_default() * step;
    let height = |count: u64| {
        let height = count * u64::from(GROUND - 8) / most;
        // One request among thousands is seen too.
        let height = if count > 0 { height.max(2) } else { 0 };
        u32::try_from(height).unwrap_or_default()
    };
    html! {
        svg.histogram role="img" aria-label=(words) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
            line.ground x1="0" x2=(WIDTH) y1=(GROUND) y2=(GROUND) {}
            @for (bucket, count) in buckets.clone() {
                @let height = height(*count);
                rect x=(at(bucket) + 2) y=(GROUND - height) width=(step - 4) height=(height) rx="2" {}
            }
            @for (bucket, _) in buckets.filter(|(bucket, _)| bucket % LABELLED == 0) {
                @if let Some(bound) = BOUNDS.get(bucket) {
                    // The first would begin outside the drawing.
                    @let (x, anchor) = if bucket == 0 { (2, "start") } else { (at(bucket) + step / 2, "middle") };
                    text x=(x) y=(HEIGHT - 6) text-anchor=(anchor) { (time(*bound)) }
                }
            }
        }
    }
}

fn table(latency: &Latency) -> Markup {
    let counted = latency.buckets.iter().enumerate();
    let counted = counted.filter(|(_, count)| **count > 0);
    html! {
        table {
            caption.unseen { "Requests by how long they took" }
            thead { tr { th scope="col" { "Took" } th.number scope="col" { "Requests" } } }
            tbody {
                @for (bucket, count) in counted {
                    tr { th scope="row" { (range(bucket)) } td.number { (count) } }
                }
            }
        }
    }
}
