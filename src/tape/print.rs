//! The tape as a numbered list of instructions.

use super::Tape;
use crate::number::Real;
use std::fmt;

/// One line a node: its number, the operation and its inputs, the shape or the error, and the line of source.
///
/// ```
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::<f64>::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0]));
/// let y = (x * x).sum();
/// let text = tape.to_string();
/// let lines: Vec<&str> = text.lines().collect();
/// assert!(lines[0].starts_with("%0 = var") && lines[0].contains("[2]"));
/// assert!(lines[1].starts_with("%1 = mul %0 %0"));
/// assert!(lines[2].starts_with("%2 = sum %1") && lines[2].contains("[]"));
/// # Ok::<(), retrograde::Error>(())
/// ```
impl<T: Real> fmt::Display for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.store.borrow();
        let mut first = 0;
        for (index, node) in store.nodes.iter().enumerate() {
            let mut text = format!("%{index} = {}", node.name);
            if node.output > 0 {
                text += &format!(" %{first}.{}", node.output);
            } else {
                first = index;
            }
            if let Some(label) = store.labels.get(&(index as u32)) {
                text += &format!(" {label:?}");
            }
            for input in &node.inputs {
                text += &format!(" %{input}");
            }
            match &node.value {
                Ok(value) => {
                    let mark = if node.needs { "" } else { "  constant" };
                    let shape = format!("{:?}", value.shape());
                    writeln!(f, "{text:<32} {shape:<16} {}{mark}", node.line)?;
                }
                Err(error) => writeln!(f, "{text:<32} error: {error}")?,
            }
        }
        Ok(())
    }
}

impl<T: Real> fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape<{}> of {} nodes\n{self}", T::DTYPE, self.len())
    }
}
