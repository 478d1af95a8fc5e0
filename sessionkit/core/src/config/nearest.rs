//! The known word that a misspelt one stands for.
//!
//! The macros look for keys, the engine for settings. Neither crate can depend on the other, so both hold this file, and a
//! test keeps the two the same.

/// Returns the known word that is one letter away from `word`, or two where the known word has eight letters or more.
///
/// A letter is added, left out, replaced, or swapped with its neighbour. Underscores do not count.
pub(crate) fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let word = letters(word);
    let distances = known.iter().map(|known| {
        let letters = letters(known);
        (distance(&word, &letters), if letters.len() < 8 { 1 } else { 2 }, *known)
    });
    let (_, _, nearest) = distances.filter(|(distance, most, _)| distance <= most).min()?;
    Some(nearest)
}

fn letters(word: &str) -> Vec<char> {
    word.chars().filter(|letter| *letter != '_').collect()
}

/// Counts the letters that must be added, left out, replaced or swapped.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for row in 0..=left.len() {
        for column in 0..=right.len() {
            rows[row][column] = if row == 0 || column == 0 {
                row + column
            } else {
                let replaced = rows[row - 1][column - 1] + usize::from(left[row - 1] != right[column - 1]);
                let best = replaced.min(rows[row - 1][column] + 1).min(rows[row][column - 1] + 1);
                let is_swap =
                    row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1];
                if is_swap { best.min(rows[row - 2][column - 2] + 1) } else { best }
            };
        }
    }
    rows[left.len()][right.len()]
}
