//! Tests of requests that other sites make a browser send.

mod form_post;
mod masking;
mod nested;
mod protection;
mod strict;
mod token;
