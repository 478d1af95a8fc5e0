//! Input and output: request heads, cookies, local paths, answers, and changes of the response.

pub(crate) mod cookie;
pub(crate) mod head;
pub(crate) mod header;
#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod local;
pub(crate) mod local_path;
pub(crate) mod page;
pub(crate) mod rejection;
pub(crate) mod response;
pub(crate) mod status;
