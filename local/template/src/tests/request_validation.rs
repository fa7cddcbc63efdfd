//! Models, and what events ask of their requests.

use keygate_model::{ParameterPlace, Validation};

use super::{changed, load, problem};

const MODELS: &str = "{Order: {type: object, required: [book], properties: {book: {$ref: \
                      '#/definitions/book'}, count: {type: integer, maximum: 9}}}, Book: {type: string, \
                      enum: ['1', a]}}";

/// The small template whose API has models and whose event says this.
fn asking(models: &str, of_event: &str) -> String {
    changed(
        "            Method: GET\n",
        &format!("            Method: GET\n{of_event}"),
    )
    .replacen(
        "      StageName:",
        &format!("      Models: {models}\n      StageName:"),
        1,
    )
}

fn validation(of_event: &str) -> Validation {
    let application = load(&asking(MODELS, of_event), &[]).unwrap();
    application.api.routes[0].validation.clone()
}

const PARAMETERS: &str = "            RequestParameters:
              - method.request.header.X-Seen
              - method.request.querystring.lang: {Required: true, Caching: true}
              - method.request.path.id: {Required: true}
";

#[test]
fn a_body_is_held_against_the_model_and_those_that_it_refers_to() {
    let checked = validation("            RequestModel: {Model: Order, ValidateBody: true}\n");
    let schema = &checked.bodies["application/json"];
    for (body, is_valid) in [
        (serde_json::json!({"book": "1", "count": 9}), true),
        (serde_json::json!({"book": 1}), false),
        (serde_json::json!({"book": "a", "count": 10}), false),
        (serde_json::json!({}), false),
    ] {
        assert_eq!(schema.first_error(&body).is_none(), is_valid, "{body}");
    }
    assert!(checked.parameters.is_empty());
    let unchecked = validation("            RequestModel: {Model: Order, Required: true}\n");
    assert!(unchecked.bodies.is_empty());
}

#[test]
fn required_parameters_are_checked_where_the_event_says_so() {
    let alone = validation(PARAMETERS);
    assert!(alone.parameters.is_empty(), "SAM makes no validator of it");
    let model = "            RequestModel: {Model: Order, ValidateParameters: true}\n";
    let checked = validation(&format!("{PARAMETERS}{model}"));
    let expected = [
        (ParameterPlace::Path, "id".to_owned()),
        (ParameterPlace::Query, "lang".to_owned()),
    ];
    assert_eq!(checked.parameters, expected.into());
}

#[test]
fn what_cannot_be_checked_is_a_problem() {
    let model = "            RequestModel: {Model: Order, ValidateBody: true}\n";
    for (models, of_event, expected) in [
        ("{Other: {type: object}}", model, "no model `Order`"),
        (
            "{Order: {title: x}}",
            model,
            "line 11: Api.Models.Order: `type` is required",
        ),
        (
            "{Order: {type: book}}",
            model,
            "Api.Models.Order: is no JSON schema",
        ),
        (
            "{Order: {type: object, properties: {a: {$ref: 'https://example.com/a'}}}}",
            model,
            "Api.Models.Order: is no JSON schema",
        ),
        (
            MODELS,
            "            RequestParameters: [integration.request.header.X]\n",
            "`integration.request.header.X` is none of",
        ),
        (
            MODELS,
            "            RequestParameters: x\n",
            "must be a list",
        ),
        (
            MODELS,
            "            RequestModel: {Model: Order, ValidateBody: maybe}\n",
            "must be true or false",
        ),
    ] {
        let problem = problem(&asking(models, of_event));
        assert!(problem.contains(expected), "{of_event}{models}: {problem}");
    }
}
