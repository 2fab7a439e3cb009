//! Which logs are asked next. Pure.

use reseal_pki::transparency::OPERATORS_REQUIRED;

/// Whether promises of logs by these operators, one a log, are enough where `required` are needed (P-9).
pub(super) fn is_enough(operators: &[&str], required: usize) -> bool {
    operators.len() >= required && distinct(operators) >= OPERATORS_REQUIRED
}

/// Which of the `candidates`, given by their operators in the order of the operator's preference, are asked so that there
/// would be enough if all of them promised. `at_hand` are the operators of logs that have promised or are being asked. As
/// few as possible are asked; as many as there are where that is not enough.
pub(super) fn next(at_hand: &[&str], candidates: &[&str], required: usize) -> Vec<usize> {
    let mut operators = at_hand.to_vec();
    let mut chosen: Vec<usize> = Vec::new();
    while !is_enough(&operators, required) {
        let free = |index: &usize| !chosen.contains(index);
        let mut left = (0..candidates.len()).filter(free);
        let is_one = distinct(&operators) < OPERATORS_REQUIRED;
        // Another operator first: that is what may be missing in the end.
        let other = left
            .clone()
            .find(|index| !operators.contains(&candidates[*index]));
        let pick = match other {
            Some(other) if is_one => Some(other),
            // The last place is that of another operator.
            None if is_one && operators.len() + 1 >= required => None,
            _ => left.next(),
        };
        let Some(pick) = pick else {
            break;
        };
        operators.push(candidates[pick]);
        chosen.push(pick);
    }
    chosen
}

fn distinct(operators: &[&str]) -> usize {
    let mut seen: Vec<&str> = Vec::new();
    for operator in operators {
        if !seen.contains(operator) {
            seen.push(operator);
        }
    }
    seen.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_9_enough_are_as_many_as_needed_by_two_operators() {
        assert!(!is_enough(&["a"], 2));
        assert!(!is_enough(&["a", "a"], 2));
        assert!(is_enough(&["a", "b"], 2));
        assert!(!is_enough(&["a", "b"], 3));
        assert!(!is_enough(&["a", "a", "a"], 3));
        assert!(is_enough(&["a", "b", "a"], 3));
    }

    #[test]
    fn p_9_as_few_logs_are_asked_as_can_be_enough() {
        assert_eq!(next(&[], &["a", "a", "b", "c"], 2), [0, 2]);
        assert_eq!(next(&[], &["a", "a", "b", "c"], 3), [0, 2, 1]);
        assert_eq!(next(&[], &["a", "b"], 2), [0, 1]);
        assert_eq!(next(&["a", "b"], &["c"], 2), [] as [usize; 0]);
        assert_eq!(next(&["a"], &["a", "b"], 2), [1]);
        assert_eq!(next(&["a", "b"], &["a", "c"], 3), [0]);
    }

    #[test]
    fn p_9_a_missing_operator_is_asked_beyond_the_number() {
        assert_eq!(next(&["a", "a"], &["a", "b"], 2), [1]);
        assert_eq!(next(&["a", "a"], &["a"], 2), [] as [usize; 0]);
    }

    #[test]
    fn where_there_are_too_few_all_are_asked() {
        assert_eq!(next(&[], &["a"], 2), [0]);
        assert_eq!(next(&[], &["a", "a"], 3), [0, 1]);
        assert_eq!(next(&["a"], &[], 3), [] as [usize; 0]);
    }
}
