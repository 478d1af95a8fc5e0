//! The memory of the machine: the operators that have begun, and what their operands came to so far.

use super::condition::{Answer, Condition};

/// An operator that combines conditions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operator {
    /// Every operand must be met.
    All,
    /// One operand must be met.
    Any,
    /// The operand must not be met. Several operands are taken as all of them.
    Not,
}

/// The operators that have begun, outermost first. There is always one, of which all operands must be met.
#[derive(Debug)]
pub(crate) struct Frames {
    outermost: Frame,
    nested: Vec<Frame>,
    /// True if `guest_only` itself, and no operator around it, was not met.
    pub(crate) is_for_guests: bool,
}

#[derive(Debug)]
struct Frame {
    operator: Operator,
    /// `None` before the first operand.
    so_far: Option<Condition>,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self { outermost: Frame::new(Operator::All), nested: Vec::new(), is_for_guests: false }
    }

    pub(crate) fn begin_operator(&mut self, operator: Operator) {
        self.nested.push(Frame::new(operator));
    }

    /// Ends the innermost operator, which becomes an operand of the one around it.
    pub(crate) fn end_operator(&mut self) {
        if let Some(frame) = self.nested.pop() {
            self.push(frame.value());
        }
    }

    /// Adds an operand to the innermost operator.
    pub(crate) fn push(&mut self, condition: Condition) {
        self.nested.last_mut().unwrap_or(&mut self.outermost).push(condition);
    }

    pub(crate) fn is_outermost(&self) -> bool {
        self.nested.is_empty()
    }

    /// Returns whether no further operand can change what is met now.
    pub(crate) fn is_decided_now(&self) -> bool {
        self.any_frame(|frame| frame.is_absorbed(|condition| condition.now))
    }

    /// Returns whether no further operand can change what will be met after a login.
    pub(crate) fn is_decided_after_login(&self) -> bool {
        self.any_frame(|frame| frame.is_absorbed(|condition| condition.after_login))
    }

    /// Returns the value of all conditions together: unknown without any, or before the end of an operator.
    pub(crate) fn value(&self) -> Condition {
        if self.nested.is_empty() { self.outermost.value() } else { Condition::UNKNOWN }
    }

    fn any_frame(&self, is_so: impl Fn(&Frame) -> bool) -> bool {
        is_so(&self.outermost) || self.nested.iter().any(is_so)
    }
}

impl Frame {
    fn new(operator: Operator) -> Self {
        Self { operator, so_far: None }
    }

    fn push(&mut self, condition: Condition) {
        self.so_far = Some(match (self.so_far, self.operator) {
            (None, _) => condition,
            (Some(so_far), Operator::All | Operator::Not) => so_far.and(condition),
            (Some(so_far), Operator::Any) => so_far.or(condition),
        });
    }

    fn value(&self) -> Condition {
        let value = self.so_far.unwrap_or(Condition::UNKNOWN);
        if self.operator == Operator::Not { !value } else { value }
    }

    fn is_absorbed(&self, answer: impl Fn(&Condition) -> Answer) -> bool {
        let absorbing = if self.operator == Operator::Any { Answer::Met } else { Answer::Unmet };
        self.so_far.as_ref().map(answer) == Some(absorbing)
    }
}
