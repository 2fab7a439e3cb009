//! Internationalized labels (N-7): an A-label must be what IDNA2008 would make
//! of a valid U-label, and nothing else.
//!
//! The work is shared: the `idna` crate's UTS 46 processing refuses whatever is
//! not stable under normalization and case folding, default-ignorable code
//! points, joiners out of context (RFC 5892 appendix A.1 and A.2) and breaches
//! of the bidi rule (RFC 5893). UTS 46 admits symbols and emoji that IDNA2008
//! does not, so the derived property of RFC 5892 section 3 is computed here.

use idna::{
    AsciiDenyList, punycode,
    uts46::{Hyphens, Uts46},
};
use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::error::NameError;

const PREFIX: &str = "xn--";

/// Checks every `xn--` label of `fqdn`, then the name as a whole: the bidi rule
/// binds all labels as soon as one is written right to left.
pub(super) fn check(name: &str, fqdn: &str) -> Result<(), NameError> {
    for label in fqdn.split('.') {
        if let Some(encoded) = label.strip_prefix(PREFIX) {
            check_label(label, encoded).map_err(|reason| NameError::ALabel {
                name: name.to_owned(),
                label: label.to_owned(),
                reason,
            })?;
        }
    }
    if !is_valid_uts46(fqdn) {
        return Err(NameError::ALabel {
            name: name.to_owned(),
            label: fqdn.to_owned(),
            reason: "together its labels break the rule for text written right to left (RFC 5893)"
                .to_owned(),
        });
    }
    Ok(())
}

/// The name in A-labels, for somebody who wrote U-labels (N-9).
pub(super) fn hint(name: &str) -> Option<String> {
    let (wildcard, rest) = match name.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", name),
    };
    let ascii = Uts46::new()
        .to_ascii(
            rest.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            idna::uts46::DnsLength::Verify,
        )
        .ok()?;
    let hint = format!("{wildcard}{ascii}");
    super::syntax::check(&hint, super::syntax::MOST_LABELS)
        .ok()
        .map(|()| hint)
}

fn check_label(label: &str, encoded: &str) -> Result<(), String> {
    let decoded: Vec<char> = punycode::decode(encoded)
        .filter(|decoded| !decoded.is_empty())
        .ok_or_else(|| "it is not Punycode (RFC 3492)".to_owned())?;
    if decoded.iter().all(char::is_ascii) {
        return Err("it encodes only ASCII: write the label itself".to_owned());
    }
    if punycode::encode(&decoded).as_deref() != Some(encoded) {
        return Err("it is not the Punycode encoding of what it decodes to (RFC 3492)".to_owned());
    }
    if !is_nfc(&decoded.iter().collect::<String>()) {
        return Err("what it encodes is not in Unicode normalization form C".to_owned());
    }
    for (position, &c) in decoded.iter().enumerate() {
        match property(c) {
            Property::Valid | Property::Joiner => {}
            Property::InContext if context_holds(&decoded, position) => {}
            Property::InContext => {
                return Err(format!(
                    "U+{:04X} may not stand where it does (RFC 5892)",
                    u32::from(c)
                ));
            }
            Property::Disallowed => {
                return Err(format!(
                    "U+{:04X} is not allowed in domain names (RFC 5892)",
                    u32::from(c)
                ));
            }
        }
    }
    if is_valid_uts46(label) {
        Ok(())
    } else {
        Err("it contains a character in another form than IDNA2008 uses, a joiner out of context, or text in mixed directions".to_owned())
    }
}

fn is_valid_uts46(name: &str) -> bool {
    Uts46::new()
        .to_unicode(name.as_bytes(), AsciiDenyList::STD3, Hyphens::Check)
        .1
        .is_ok()
}

/// The derived property of RFC 5892 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    /// PVALID
    Valid,
    /// CONTEXTJ: judged by UTS 46 processing
    Joiner,
    /// CONTEXTO
    InContext,
    /// DISALLOWED or UNASSIGNED
    Disallowed,
}

/// RFC 5892 section 3. "Unstable" and "IgnorableProperties" are
/// left to UTS 46 processing, which refuses both.
fn property(c: char) -> Property {
    match c {
        // Exceptions (F) that are valid, and LDH (I)
        '\u{df}'
        | '\u{3c2}'
        | '\u{6fd}'
        | '\u{6fe}'
        | '\u{f0b}'
        | '\u{3007}'
        | '-'
        | '0'..='9'
        | 'a'..='z' => Property::Valid,
        // Exceptions (F) by context
        '\u{b7}'
        | '\u{375}'
        | '\u{5f3}'
        | '\u{5f4}'
        | '\u{30fb}'
        | '\u{660}'..='\u{669}'
        | '\u{6f0}'..='\u{6f9}' => Property::InContext,
        // JoinControl (H)
        '\u{200c}' | '\u{200d}' => Property::Joiner,
        // Exceptions (F) that are disallowed, IgnorableBlocks (D), OldHangulJamo (J)
        '\u{640}'
        | '\u{7fa}'
        | '\u{302e}'
        | '\u{302f}'
        | '\u{3031}'..='\u{3035}'
        | '\u{303b}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{1d100}'..='\u{1d24f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{d7b0}'..='\u{d7ff}' => Property::Disallowed,
        // LetterDigits (A)
        _ => match c.general_category() {
            GeneralCategory::LowercaseLetter
            | GeneralCategory::UppercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::DecimalNumber
            | GeneralCategory::ModifierLetter
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark => Property::Valid,
            _ => Property::Disallowed,
        },
    }
}

/// The contextual rules of RFC 5892 appendix A.3 to A.9.
fn context_holds(label: &[char], position: usize) -> bool {
    let before = position
        .checked_sub(1)
        .and_then(|before| label.get(before))
        .copied();
    let after = label.get(position + 1).copied();
    match label[position] {
        // A.3: MIDDLE DOT only between two l, as in Catalan
        '\u{b7}' => before == Some('l') && after == Some('l'),
        // A.4: GREEK LOWER NUMERAL SIGN before Greek
        '\u{375}' => after.is_some_and(is_greek),
        // A.5, A.6: HEBREW GERESH and GERSHAYIM after Hebrew
        '\u{5f3}' | '\u{5f4}' => before.is_some_and(is_hebrew),
        // A.7: KATAKANA MIDDLE DOT beside Japanese
        '\u{30fb}' => label.iter().any(|&c| is_japanese(c)),
        // A.8, A.9: Arabic-Indic digits and extended ones never together
        '\u{660}'..='\u{669}' => !label.iter().any(|c| matches!(c, '\u{6f0}'..='\u{6f9}')),
        '\u{6f0}'..='\u{6f9}' => !label.iter().any(|c| matches!(c, '\u{660}'..='\u{669}')),
        _ => false,
    }
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{373}' | '\u{375}'..='\u{377}' | '\u{37a}'..='\u{37d}' | '\u{37f}'
        | '\u{384}' | '\u{386}' | '\u{388}'..='\u{3e1}' | '\u{3f0}'..='\u{3ff}' | '\u{1f00}'..='\u{1ffe}')
}

fn is_hebrew(c: char) -> bool {
    matches!(c, '\u{591}'..='\u{5f4}' | '\u{fb1d}'..='\u{fb4f}')
}

/// Hiragana, Katakana (without the middle dot itself) or Han.
fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
        | '\u{30fd}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{1aff0}'..='\u{1b16f}'
        | '\u{2e80}'..='\u{2fd5}' | '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3038}'..='\u{303b}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{fad9}' | '\u{20000}'..='\u{3347f}')
}
