//! How an exchange goes wrong.

use bytes::Bytes;

/// What the proxy does to an exchange. "After" means that the platform did the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 429; nothing was done.
    TooMany { retry_after: Option<u32> },
    /// 401; nothing was done.
    Unauthorized,
    /// 500 with JSON; after.
    ServerError,
    /// 502 with a page of a proxy that reaches nobody; nothing was done.
    ErrorPage,
    /// The right answer, a byte now and then; after.
    Slow,
    /// Closed without an answer; nothing was done.
    CutBefore,
    /// Closed without an answer; after.
    CutAfter,
    /// 200 with a page that a shop shows meanwhile; nothing was done.
    WrongContentType,
    /// The answer ends in the middle; after.
    InvalidJson,
    /// 200 without a body; after.
    EmptyBody,
    /// 200 with `{}`; after.
    EmptyObject,
    /// 302 to a place that was not granted; nothing was done.
    Redirect,
}

impl Fault {
    /// As the report shows it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::TooMany { retry_after: Some(_) } => "429 with Retry-After",
            Self::TooMany { retry_after: None } => "429 without Retry-After",
            Self::Unauthorized => "401",
            Self::ServerError => "500 after the work",
            Self::ErrorPage => "502 with an HTML page",
            Self::Slow => "slow bytes",
            Self::CutBefore => "connection cut before the work",
            Self::CutAfter => "connection cut after the work",
            Self::WrongContentType => "wrong content type",
            Self::InvalidJson => "broken JSON after the work",
            Self::EmptyBody => "empty body after the work",
            Self::EmptyObject => "empty object after the work",
            Self::Redirect => "redirect",
        }
    }

    /// Whether the platform gets the request.
    pub(crate) fn forwards(&self) -> bool {
        match self {
            Self::ServerError
            | Self::Slow
            | Self::CutAfter
            | Self::InvalidJson
            | Self::EmptyBody
            | Self::EmptyObject => true,
            Self::TooMany { .. }
            | Self::Unauthorized
            | Self::ErrorPage
            | Self::CutBefore
            | Self::WrongContentType
            | Self::Redirect => false,
        }
    }
}

/// Which requests go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// Those the connector marked as reads, by method or by word.
    Reads,
    /// The others.
    Writes,
}

/// What makes two requests the same one, sent again: the host repeats reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Bytes,
}

/// How many requests go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Times {
    /// All, until it is disarmed.
    Always,
    /// One, and not what is sent again for it.
    Once,
    /// One and whatever repeats it; absent: it has not come yet.
    Same(Option<Asked>),
}

/// A fault that waits for its requests.
#[derive(Debug, Clone)]
pub(crate) struct Armed {
    pub(crate) fault: Fault,
    pub(crate) on: On,
    /// How often.
    pub(crate) times: Times,
    /// How many pass first.
    pub(crate) skip: u32,
}
