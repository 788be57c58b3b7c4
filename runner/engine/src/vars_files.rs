//! The play's `vars_files`: which file a name means, for the whole play or for each host.
//!
//! A name with a template in it may mean another file on every host, and nothing where it rests on
//! what is not known yet (a fact); from such a name on, files are looked for per host.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rplay_diag::Diagnostic;
use rplay_playbook::{Keyword, Play, is_template};
use rplay_template::{Vars, is_omit};
use rplay_vars::{Layer, Level, Scope};
use rplay_yaml::{Map, Node};

use crate::run::Run;
use crate::text;

/// Files of variables that were read already.
#[derive(Debug, Default)]
pub(crate) struct Read(Mutex<HashMap<PathBuf, Arc<Map>>>);

fn is_fixed(node: &Node) -> bool {
    let fixed = |node: &Node| !node.as_str().is_some_and(is_template);
    match node.as_seq() {
        Some(items) => items.iter().all(fixed),
        None => fixed(node),
    }
}

impl Run {
    /// The files that are the same for all hosts.
    ///
    /// # Errors
    /// One that is not there or cannot be read.
    pub(crate) fn fixed_vars_files(&self, play: &Play) -> Result<Vec<Layer>, Diagnostic> {
        let files = play.keywords.list(Keyword::VarsFiles);
        let vars: Arc<dyn Vars> = Arc::new(Scope::default());
        let files = files.into_iter().take_while(|node| is_fixed(node));
        let maps = files.map(|node| self.vars_file(play, node, &vars, &Read::default()));
        let maps = maps.collect::<Result<Vec<_>, _>>()?;
        Ok(maps.into_iter().flatten().map(Layer::Nodes).collect())
    }

    /// Adds the files that may be others for each host; what is wrong with one of them is told.
    pub(crate) fn add_vars_files(
        &self,
        play: &Play,
        read: &Read,
        mut scope: Scope,
    ) -> (Scope, Vec<Diagnostic>) {
        let files = play.keywords.list(Keyword::VarsFiles);
        let mut wrong = vec![];
        for node in files.into_iter().skip_while(|node| is_fixed(node)) {
            let vars: Arc<dyn Vars> = Arc::new(scope.clone());
            match self.vars_file(play, node, &vars, read) {
                Ok(Some(map)) => scope.add(Level::PlayFiles, Layer::Nodes(map)),
                Ok(None) => {}
                Err(diagnostic) => wrong.push(diagnostic),
            }
        }
        (scope, wrong)
    }

    /// One entry: a file, or the first of a list that is there; nothing where a name cannot be told.
    fn vars_file(
        &self,
        play: &Play,
        node: &Node,
        vars: &Arc<dyn Vars>,
        read: &Read,
    ) -> Result<Option<Arc<Map>>, Diagnostic> {
        let names = match node.as_seq() {
            Some(items) => items.iter().collect(),
            None => vec![node],
        };
        let mut untold = false;
        for name in &names {
            let value = match self.templar.render(name, vars) {
                Ok(value) if is_omit(&value) => return Ok(None),
                Ok(value) => value,
                // It may be known later, of this host.
                Err(error) if error.message.contains("is undefined") => {
                    untold = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let places = [play.dir.join("vars"), play.dir.clone()];
            let places = places.map(|dir| dir.join(text::plain(&value)));
            if let Some(path) = places.iter().find(|path| path.is_file()) {
                return self.vars_of(path, read).map(Some);
            }
        }
        if untold {
            return Ok(None);
        }
        Err(Diagnostic::error("the file of variables is not there").at(&node.span))
    }

    fn vars_of(&self, path: &Path, read: &Read) -> Result<Arc<Map>, Diagnostic> {
        let known = || read.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = known().get(path) {
            return Ok(map.clone());
        }
        let map = Arc::new(self.read_vars_file(path)?);
        known().insert(path.to_owned(), map.clone());
        Ok(map)
    }
}
