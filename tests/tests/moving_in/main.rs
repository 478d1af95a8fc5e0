//! Sessions of another system that become ours, while requests are under way.

mod attack;
mod attack_writes;
mod both;
mod ended;
mod old;
mod race;
mod rows;
mod taken_over;
mod unlucky;
