//! What of a mapping template is more than its letters.

/// The directives of the Velocity template language.
const DIRECTIVES: [&str; 12] = [
    "#break",
    "#define",
    "#else",
    "#end",
    "#evaluate",
    "#foreach",
    "#if",
    "#include",
    "#macro",
    "#parse",
    "#set",
    "#stop",
];
/// Comments, texts that are no template, and the other spelling of directives.
const MARKS: [&str; 4] = ["##", "#*", "#[[", "#{"];

/// The first directive in a template.
pub(super) fn directive(template: &str) -> Option<&'static str> {
    let mut directives = DIRECTIVES.into_iter();
    directives.find(|directive| template.contains(directive))
}

/// Whether a template says what it is.
///
/// # Errors
/// The first reference or directive of the Velocity template language, which the local gateway does not
/// carry out.
pub(super) fn check_literal(template: &str) -> Result<(), String> {
    let directive = DIRECTIVES
        .into_iter()
        .chain(MARKS)
        .filter_map(|directive| Some((template.find(directive)?, directive.to_owned())));
    let references = template.match_indices('$').filter_map(|(at, _)| {
        let rest = &template[at..];
        let name: String = rest
            .chars()
            .take_while(|letter| !letter.is_whitespace() && !"\"',)}".contains(*letter))
            .collect();
        let starts = name.chars().nth(1)?;
        (starts.is_ascii_alphabetic() || "{!".contains(starts)).then_some((at, name))
    });
    match directive.chain(references).min() {
        Some((_, name)) => Err(format!(
            "`{name}` is of the Velocity template language, which the local gateway does not carry out"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_has_neither_references_nor_directives() {
        for literal in ["{\"statusCode\": 200}", "costs 5$", "#fff", "a $ b", ""] {
            assert_eq!(check_literal(literal), Ok(()), "{literal}");
        }
        for (template, name) in [
            ("{\"a\": \"$context.requestId\"}", "`$context.requestId`"),
            ("a #set($b = 1)", "`#set`"),
            ("$!{input.body} #end", "`$!{input.body`"),
            ("## comment", "`##`"),
        ] {
            let error = check_literal(template).unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
