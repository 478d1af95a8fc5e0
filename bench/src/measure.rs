//! The measurements. Each makes a section of the report.

pub mod in_process;
