//! Sessions that another system reads and writes too.
