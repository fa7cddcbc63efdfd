//! `AWS::Serverless::LayerVersion`: files that functions find below `/opt`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use keygate_model::Function;

use super::problems::Problems;
use super::resources::Resource;
use super::stand_ins::layer_arn;

/// The layers of the template: by ARN, where their content is.
#[derive(Debug, Default)]
pub(super) struct Layers(BTreeMap<String, PathBuf>);

impl Layers {
    /// Reads a layer.
    pub(super) fn read(&mut self, resource: Resource<'_>) {
        let mut properties = resource.properties;
        if let Some(metadata) = &resource.metadata {
            // A layer that is built is not what lies in its ContentUri.
            metadata.refused(&["BuildMethod"]);
        }
        let content = properties.required_text("ContentUri");
        properties.end();
        if let Some(content) = content {
            self.0.insert(layer_arn(&resource.id), content.into());
        }
    }

    /// Gives a function the content of the layers that it names.
    pub(super) fn resolve(&self, function: &mut Function, problems: &Problems) {
        let named = std::mem::take(&mut function.layers);
        for arn in named {
            let arn = arn.to_string_lossy();
            match self.0.get(arn.as_ref()) {
                Some(content) => function.layers.push(content.clone()),
                None => problems.report(
                    0,
                    &format!("{}.Layers", function.id),
                    format!("`{arn}` is no layer of this template, and others cannot be had here"),
                ),
            }
        }
    }
}
