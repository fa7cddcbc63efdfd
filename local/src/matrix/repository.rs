//! The repository's own `template.yaml`.

use std::path::Path;

use keygate_template::{load, offered};

use super::Matrix;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");

#[test]
fn the_events_of_the_template_agree_with_its_route_table() {
    for kind in ["TOKEN", "REQUEST"] {
        let given = [("AuthorizerEvents".to_owned(), kind.to_owned())];
        let parameters = offered::parameters(&given, None, "http://127.0.0.1:3001");
        let template = Path::new(TEMPLATE);
        let application = load(template, &parameters).unwrap();
        let matrix = Matrix::of(&application, template).unwrap();
        assert!(matrix.table.is_some());
        let disagreements = matrix.disagreements.iter().map(ToString::to_string);
        assert_eq!(disagreements.collect::<Vec<_>>(), [""; 0]);
        for row in &matrix.rows {
            let asks = row.route.authorizer.is_some();
            assert_eq!(asks, row.route.api_key_required, "{row:?}");
        }
    }
}
