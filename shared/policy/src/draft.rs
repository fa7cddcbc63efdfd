//! From the table to the policies: which patterns each scope allows, merged as far as the room
//! demands.

use std::collections::HashMap;
use std::sync::Arc;

use keygate_routes::RouteTable;

use crate::interplay::{self, Interplay, denials};
use crate::merge;
use crate::pattern::Pattern;
use crate::policies::{Beyond, Guard, Opened, Policies};
use crate::policy::{MAX_BYTES, overhead};
use crate::room::Room;
use crate::separable;
use crate::shapes::Shapes;
use crate::unfit::UnfitTable;

/// How many scopes an error names.
const NAMED: usize = 3;

impl Policies {
    /// Prepares the policies of a table.
    ///
    /// # Errors
    /// When a policy could be too long, or could not say what the table does.
    pub fn new(table: &RouteTable, room: Room) -> Result<Self, UnfitTable> {
        let shapes = Shapes::of(table);
        let positions = 0..shapes.all().len();
        let interplay: Vec<_> = positions
            .map(|position| interplay::of(position, &shapes))
            .collect();
        separable::check(&shapes, &interplay)?;
        let mut draft = Draft::new(&shapes, interplay, room);
        draft.fit();
        draft.finished()
    }
}

/// Policies in the making.
struct Draft<'s, 't> {
    shapes: &'s Shapes<'t>,
    /// For each route.
    guards: Vec<Guard>,
    /// What each scope allows, and at the end what any credential does.
    allowed: Vec<(Option<usize>, Vec<Pattern<'t>>)>,
    patterns: Interned<'t>,
    room: Room,
}

impl<'s, 't> Draft<'s, 't> {
    /// Each scope allows the patterns of its routes.
    fn new(shapes: &'s Shapes<'t>, interplay: Vec<Interplay<'t>>, room: Room) -> Self {
        let scopes = (0..shapes.scopes().len()).map(Some).chain([None]);
        let allowed = scopes.map(|scope| {
            let opened = shapes.opened_by(scope).iter();
            let mut patterns = opened
                .map(|position| shapes.all()[*position].pattern.clone())
                .collect();
            merge::reduce(&mut patterns);
            (scope, patterns)
        });
        let mut patterns = Interned::default();
        let routes = interplay.into_iter().zip(shapes.all());
        let guards = routes.map(|(interplay, shape)| Guard {
            line: shape.route.line,
            denials: denials(&shape.pattern)
                .map(|one| patterns.number(&one))
                .collect(),
            preferred: interplay.preferred,
            closers: interplay
                .closers
                .into_iter()
                .map(|closer| Beyond {
                    closer: closer.pattern.map(|one| patterns.number(&one)),
                    on_it: closer.on_it,
                    routes: closer.beyond,
                })
                .collect(),
        });
        Self {
            guards: guards.collect(),
            allowed: allowed.collect(),
            shapes,
            patterns,
            room,
        }
    }

    /// Takes steps until every caller's policy fits, or no step is left.
    fn fit(&mut self) {
        if self.longest() <= MAX_BYTES {
            return;
        }
        // Beyond the routes of the table there may be others of the template's, which are closed as
        // long as that can be afforded.
        for guard in &mut self.guards {
            guard.closers.retain(|beyond| !beyond.routes.is_empty());
        }
        let mut is_changed = true;
        for step in merge::steps(self.shapes) {
            if is_changed && self.longest() <= MAX_BYTES {
                return;
            }
            is_changed = false;
            for (scope, patterns) in &mut self.allowed {
                is_changed |= merge::take(step, *scope, patterns, self.shapes);
            }
        }
    }

    /// The bytes of a policy with everything in it that could be in any: no pattern is allowed and
    /// denied at once.
    fn longest(&mut self) -> usize {
        let of_scopes = self.allowed.iter().flat_map(|(_, patterns)| patterns);
        let allowed: Vec<usize> = of_scopes.map(|one| self.patterns.number(one)).collect();
        let guarded = self.guards.iter().flat_map(|guard| {
            let beyond = guard.closers.iter().flat_map(|beyond| &beyond.routes);
            let closed = guard.preferred.iter().chain(beyond);
            let denied = closed.flat_map(|closed| &self.guards[*closed].denials);
            denied.chain(
                guard
                    .closers
                    .iter()
                    .filter_map(|beyond| beyond.closer.as_ref()),
            )
        });
        let mut is_in = vec![false; self.patterns.all.len()];
        for number in guarded.chain(&allowed) {
            is_in[*number] = true;
        }
        let chosen = self.patterns.all.iter().zip(is_in);
        let chosen = chosen.filter_map(|(pattern, is_in)| is_in.then_some(pattern));
        // A caller to whom nothing is open is denied everything, by one star.
        let denied = self.room.taken_by("*".len());
        overhead() + self.bytes(chosen).max(denied)
    }

    /// The bytes of resources.
    fn bytes<'p>(&self, patterns: impl Iterator<Item = &'p Pattern<'t>>) -> usize
    where
        't: 'p,
    {
        patterns
            .map(|pattern| self.room.taken_by(pattern.length()))
            .sum()
    }

    fn finished(mut self) -> Result<Policies, UnfitTable> {
        let longest = self.longest();
        if longest > MAX_BYTES {
            return Err(self.too_large(longest));
        }
        let mut scopes = HashMap::new();
        let mut any_credential = Opened::default();
        for (scope, allowed) in &self.allowed {
            let opened = Opened {
                routes: self.shapes.opened_by(*scope).to_vec(),
                allowed: allowed
                    .iter()
                    .map(|one| self.patterns.number(one))
                    .collect(),
            };
            match scope {
                None => any_credential = opened,
                Some(number) => {
                    scopes.insert(self.shapes.scopes()[*number].clone(), opened);
                }
            }
        }
        Ok(Policies {
            scopes,
            any_credential,
            guards: self.guards,
            patterns: self.patterns.texts(),
            longest,
        })
    }

    fn too_large(&self, bytes: usize) -> UnfitTable {
        let sizes = self.allowed.iter().map(|(scope, patterns)| {
            let name = scope.map_or("*".to_owned(), |scope| {
                self.shapes.scopes()[scope].to_string()
            });
            (name, self.bytes(patterns.iter()))
        });
        let mut scopes: Vec<(String, usize)> = sizes.collect();
        scopes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        scopes.truncate(NAMED);
        UnfitTable::TooLarge { bytes, scopes }
    }
}

/// Patterns by number.
#[derive(Default)]
struct Interned<'t> {
    numbers: HashMap<Pattern<'t>, usize>,
    all: Vec<Pattern<'t>>,
}

impl<'t> Interned<'t> {
    fn number(&mut self, pattern: &Pattern<'t>) -> usize {
        if let Some(number) = self.numbers.get(pattern) {
            return *number;
        }
        let number = self.all.len();
        self.all.push(pattern.clone());
        self.numbers.insert(pattern.clone(), number);
        number
    }

    fn texts(&self) -> Vec<Arc<str>> {
        let texts = self.all.iter().map(ToString::to_string);
        texts.map(Arc::from).collect()
    }
}
