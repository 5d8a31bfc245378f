//! The methods of routes.

/// The methods of a route, besides OPTIONS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Methods {
    /// GET and HEAD.
    Get,
    Post,
    Delete,
    PostAndDelete,
}

impl Methods {
    /// The value of the `Allow` header.
    pub(super) fn names(self) -> &'static str {
        match self {
            Self::Get => "HEAD,GET,OPTIONS",
            Self::Post => "POST,OPTIONS",
            Self::Delete => "DELETE,OPTIONS",
            Self::PostAndDelete => "DELETE,POST,OPTIONS",
        }
    }
}
