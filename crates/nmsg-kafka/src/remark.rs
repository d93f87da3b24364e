use std::fmt;
use std::sync::Arc;

/// Something that a client has to say although it goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remark {
    /// Something does not work for the time being; each kind is told once by each client.
    Trouble(String),
    /// A line of the client library's own log.
    Log(String),
}

/// Prints the text.
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trouble(text) | Self::Log(text) => f.write_str(text),
        }
    }
}

/// Is told what clients have to say, at once, from whatever thread.
pub type Listener = Arc<dyn Fn(Remark) + Send + Sync>;
