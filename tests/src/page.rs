//! Pages of the documentation, whose examples are run as they stand.

/// The code blocks of a page, in their order, that begin with this word behind the fence, such as `yaml`.
pub fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0)
        .collect()
}
