//! From the table to the policies: which patterns each scope allows, merged as far as the room
//! demands.

use std::collections::{HashMap, HashSet};
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
    interplay: Vec<Interplay<'t>>,
    /// What each scope allows, and at the end what any credential does.
    allowed: Vec<(Option<usize>, Vec<Pattern<'t>>)>,
    room: Room,
}

impl<'s, 't> Draft<'s, 't> {
    /// Each scope allows the patterns of its routes.
    fn new(shapes: &'s Shapes<'t>, interplay: Vec<Interplay<'t>>, room: Room) -> Self {
        let scopes = (0..shapes.scopes().len()).map(Some).chain([None]);
        let allowed = scopes.map(|scope| {
            let any = |position: &usize| shapes.all()[*position].is_open_to(None);
            let open = opened(shapes, scope).into_iter();
            // What any credential opens is allowed once, for all.
            let own = open.filter(|position| scope.is_none() || !any(position));
            let mut patterns = own
                .map(|position| shapes.all()[position].pattern.clone())
                .collect();
            merge::reduce(&mut patterns);
            (scope, patterns)
        });
        Self {
            allowed: allowed.collect(),
            shapes,
            interplay,
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
        for interplay in &mut self.interplay {
            interplay.closers.retain(|closer| !closer.beyond.is_empty());
        }
        for step in merge::steps(self.shapes) {
            if self.longest() <= MAX_BYTES {
                return;
            }
            for (scope, patterns) in &mut self.allowed {
                merge::take(step, *scope, patterns, self.shapes);
            }
        }
    }

    /// The bytes of a policy with everything in it that could be in any: no pattern is allowed and
    /// denied at once.
    fn longest(&self) -> usize {
        let of_scopes = self
            .allowed
            .iter()
            .flat_map(|(_, patterns)| patterns.iter().cloned());
        let guarded = self.interplay.iter().flat_map(|interplay| {
            let beyond = interplay.closers.iter().flat_map(|closer| &closer.beyond);
            let closed = interplay.preferred.iter().chain(beyond);
            let denied = closed.flat_map(|closed| denials(&self.shapes.all()[*closed].pattern));
            let closers = interplay.closers.iter();
            let closers = closers.filter_map(|closer| closer.pattern.clone());
            denied.chain(closers)
        });
        let patterns: HashSet<Pattern<'t>> = of_scopes.chain(guarded).collect();
        let patterns = patterns.iter().map(ToString::to_string);
        overhead()
            + patterns
                .map(|text| self.room.taken_by(&text))
                .sum::<usize>()
    }

    fn finished(self) -> Result<Policies, UnfitTable> {
        let longest = self.longest();
        if longest > MAX_BYTES {
            return Err(self.too_large(longest));
        }
        let mut patterns = Interned::default();
        let guards = self.interplay.iter().zip(self.shapes.all());
        let guards = guards.map(|(interplay, shape)| Guard {
            line: shape.route.line,
            denials: denials(&shape.pattern)
                .map(|one| patterns.number(&one))
                .collect(),
            preferred: interplay.preferred.clone(),
            closers: interplay
                .closers
                .iter()
                .map(|closer| Beyond {
                    closer: closer.pattern.as_ref().map(|one| patterns.number(one)),
                    on_it: closer.on_it.clone(),
                    routes: closer.beyond.clone(),
                })
                .collect(),
        });
        let guards = guards.collect();
        let mut scopes = HashMap::new();
        let mut any_credential = Opened::default();
        for (scope, allowed) in &self.allowed {
            let opened = Opened {
                routes: opened(self.shapes, *scope),
                allowed: allowed.iter().map(|one| patterns.number(one)).collect(),
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
            guards,
            patterns: patterns.texts,
            longest,
        })
    }

    fn too_large(&self, bytes: usize) -> UnfitTable {
        let sizes = self.allowed.iter().map(|(scope, patterns)| {
            let name = scope.map_or("*".to_owned(), |scope| {
                self.shapes.scopes()[scope].to_string()
            });
            let patterns = patterns.iter().map(ToString::to_string);
            let bytes: usize = patterns.map(|text| self.room.taken_by(&text)).sum();
            (name, bytes)
        });
        let mut scopes: Vec<(String, usize)> = sizes.collect();
        scopes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        scopes.truncate(NAMED);
        UnfitTable::TooLarge { bytes, scopes }
    }
}

/// The routes that a scope opens; `None` is a credential without any.
fn opened(shapes: &Shapes<'_>, scope: Option<usize>) -> Vec<usize> {
    let positions = 0..shapes.all().len();
    positions
        .filter(|position| shapes.all()[*position].is_open_to(scope))
        .collect()
}

/// Patterns by number.
#[derive(Default)]
struct Interned<'t> {
    numbers: HashMap<Pattern<'t>, usize>,
    texts: Vec<Arc<str>>,
}

impl<'t> Interned<'t> {
    fn number(&mut self, pattern: &Pattern<'t>) -> usize {
        if let Some(number) = self.numbers.get(pattern) {
            return *number;
        }
        let number = self.texts.len();
        self.texts.push(pattern.to_string().into());
        self.numbers.insert(pattern.clone(), number);
        number
    }
}
