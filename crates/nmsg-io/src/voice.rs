use std::fmt;
use std::sync::Arc;

use crate::output::Notice;

/// Says something about one input or output at once, from whatever thread, also while it waits.
#[derive(Clone)]
pub struct Voice {
    name: Arc<str>,
    speak: Arc<dyn Fn(&Notice) + Send + Sync>,
}

impl Voice {
    /// The voice of the input or output of this name; what is said is given to a function.
    #[must_use]
    pub fn new(name: &str, speak: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self { name: name.into(), speak: Arc::new(speak) }
    }

    /// Says what everybody should know.
    pub fn say(&self, text: impl fmt::Display) {
        self.speak(&text, false);
    }

    /// Says what only those want to know who ask for detail.
    pub fn say_detail(&self, text: impl fmt::Display) {
        self.speak(&text, true);
    }

    fn speak(&self, text: &dyn fmt::Display, is_detail: bool) {
        (self.speak)(&Notice { text: format!("{}: {text}", self.name), is_detail });
    }
}

/// Says nothing.
impl Default for Voice {
    fn default() -> Self {
        Self::new("", |_| {})
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Voice")
    }
}
