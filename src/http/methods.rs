//! The methods of routes.

/// The methods of a route, besides OPTIONS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Methods {
    /// GET and HEAD.
    Get,
    Post,
    /// POST, as the Model Context Protocol has it: no other method is named.
    #[cfg(feature = "mcp")]
    PostAlone,
    Delete,
    PostAndDelete,
    /// GET, HEAD and POST.
    GetAndPost,
}

impl Methods {
    /// The value of the `Allow` header.
    pub(super) fn names(self) -> &'static str {
        match self {
            Self::Get => "HEAD,GET,OPTIONS",
            Self::Post => "POST,OPTIONS",
            #[cfg(feature = "mcp")]
            Self::PostAlone => "POST",
            Self::Delete => "DELETE,OPTIONS",
            Self::PostAndDelete => "DELETE,POST,OPTIONS",
            Self::GetAndPost => "HEAD,GET,POST,OPTIONS",
        }
    }
}
