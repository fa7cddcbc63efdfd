//! What the usage keys of a changed template take over from those of the former.

use std::sync::Arc;

use super::{Keys, Listed, Usage};
use crate::usage_plan::Meter;

impl Usage {
    /// Takes over from the stage whose place this is to take: the keys that calls have made, each on its
    /// plan where that is still there, and what was counted for each key on the plan that it is on.
    pub(crate) fn succeed(&self, former: &Self) {
        let (mut keys, former_keys) = (self.write(), former.read());
        let of_template = |id: &String| {
            let mut given = former.plans.iter().flat_map(|plan| &plan.keys);
            given.any(|key| key.id == *id)
        };
        for (id, listed) in &former_keys.by_id {
            let mut now = keys.by_id.values();
            let is_taken = now.any(|now| now.key.id == *id || now.key.value == listed.key.value);
            if of_template(id) || is_taken {
                continue;
            }
            let plan = listed.plan.as_deref().and_then(|on| self.plan(on).ok());
            let listed = Listed {
                plan: plan.map(|plan| plan.id.clone()),
                ..listed.clone()
            };
            if let Some(meter) = plan.and_then(|plan| Meter::new(plan, &listed.key).ok())
                && plan.is_some_and(|plan| plan.is_of_stage)
            {
                let value = listed.key.value.clone();
                keys.meters.insert(value, Arc::new(meter));
            }
            keys.by_id.insert(id.clone(), listed);
        }
        let Keys { by_id, meters } = &mut *keys;
        for listed in by_id.values() {
            let before = former_keys.by_id.get(&listed.key.id);
            let is_same = before.is_some_and(|before| {
                before.plan == listed.plan && before.key.value == listed.key.value
            });
            let value = &listed.key.value;
            if let (true, Some(before), Some(meter)) = (
                is_same,
                former_keys.meters.get(value),
                meters.get_mut(value),
            ) && let Some(meter) = Arc::get_mut(meter)
            {
                meter.count_with(before);
            }
        }
    }
}
