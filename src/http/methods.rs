//! The methods that an address takes.

/// The methods of a route. OPTIONS is always among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Methods {
    /// GET and HEAD.
    Get,
    Post,
    Delete,
    PostAndDelete,
}

impl Methods {
    /// All of them, as the header `Allow` lists them.
    pub(super) fn names(self) -> &'static str {
        match self {
            Self::Get => "HEAD,GET,OPTIONS",
            Self::Post => "POST,OPTIONS",
            Self::Delete => "DELETE,OPTIONS",
            Self::PostAndDelete => "DELETE,POST,OPTIONS",
        }
    }
}
