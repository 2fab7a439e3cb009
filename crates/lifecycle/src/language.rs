//! Languages of mails and of the pages behind their links (contract.md section 4, LANG).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language that customers are written to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Language {
    /// English, in which everybody is written to for whom nothing better is known.
    #[default]
    En,
    /// Dutch.
    Nl,
    /// French.
    Fr,
    /// Simplified Chinese.
    Cn,
    /// German.
    De,
    /// Italian.
    It,
    /// Japanese.
    Jp,
    /// Korean.
    Kr,
    /// Portuguese.
    Pt,
    /// Russian.
    Ru,
    /// Spanish.
    Es,
    /// Danish.
    Dk,
    /// Swedish.
    Se,
    /// Turkish.
    Tr,
}

impl Language {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 14] = [
        Self::En,
        Self::Nl,
        Self::Fr,
        Self::Cn,
        Self::De,
        Self::It,
        Self::Jp,
        Self::Kr,
        Self::Pt,
        Self::Ru,
        Self::Es,
        Self::Dk,
        Self::Se,
        Self::Tr,
    ];

    /// The contract's word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "EN",
            Self::Nl => "NL",
            Self::Fr => "FR",
            Self::Cn => "CN",
            Self::De => "DE",
            Self::It => "IT",
            Self::Jp => "JP",
            Self::Kr => "KR",
            Self::Pt => "PT",
            Self::Ru => "RU",
            Self::Es => "ES",
            Self::Dk => "DK",
            Self::Se => "SE",
            Self::Tr => "TR",
        }
    }

    /// The language tag of mails, web pages and file names (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Nl => "nl",
            Self::Fr => "fr",
            Self::Cn => "zh-Hans",
            Self::De => "de",
            Self::It => "it",
            Self::Jp => "ja",
            Self::Kr => "ko",
            Self::Pt => "pt",
            Self::Ru => "ru",
            Self::Es => "es",
            Self::Dk => "da",
            Self::Se => "sv",
            Self::Tr => "tr",
        }
    }

    /// The language of the contract's word `code`, whatever its case: one client sends `en` (contract.md 7.11).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(code))
    }

    /// The language that is official in the country `country` (ISO 3166, two letters), if it is the only one of
    /// ours that most people there read: Belgians, Swiss and Canadians are not guessed at.
    pub fn of_country(country: &str) -> Option<Self> {
        let language = match country.to_ascii_uppercase().as_str() {
            "NL" | "SR" | "AW" | "BQ" | "CW" | "SX" => Self::Nl,
            "FR" | "MC" | "BL" | "GF" | "GP" | "MF" | "MQ" | "NC" | "PF" | "PM" | "RE" | "WF"
            | "YT" | "BJ" | "CD" | "CG" | "CI" | "GA" | "SN" | "TG" => Self::Fr,
            // Hong Kong, Macao and Taiwan write the traditional characters.
            "CN" => Self::Cn,
            "DE" | "AT" | "LI" => Self::De,
            "IT" | "SM" | "VA" => Self::It,
            "JP" => Self::Jp,
            "KR" => Self::Kr,
            "PT" | "BR" | "AO" | "CV" | "GW" | "MZ" | "ST" => Self::Pt,
            "RU" | "BY" => Self::Ru,
            "ES" | "AR" | "BO" | "CL" | "CO" | "CR" | "CU" | "DO" | "EC" | "GQ" | "GT" | "HN"
            | "MX" | "NI" | "PA" | "PE" | "PR" | "PY" | "SV" | "UY" | "VE" => Self::Es,
            "DK" | "FO" | "GL" => Self::Dk,
            "SE" | "AX" => Self::Se,
            "TR" => Self::Tr,
            _ => return None,
        };
        Some(language)
    }

    /// The first of our languages in the order of preference of an `Accept-Language` header
    /// (RFC 9110 section 12.5.4).
    pub fn preferred(accept_language: &str) -> Option<Self> {
        let mut ranges: Vec<(f32, Self)> = accept_language
            .split(',')
            .filter_map(|range| {
                let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
                let quality = match parameters.trim().strip_prefix("q=") {
                    Some(quality) => quality.parse().ok()?,
                    None => 1.0,
                };
                Some((quality, Self::from_tag(tag.trim())?))
            })
            .filter(|(quality, _)| *quality > 0.0)
            .collect();
        // Equal ones stay in the order in which they were given.
        ranges.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        ranges.first().map(|(_, language)| *language)
    }

    /// The language of a tag such as `nl-BE`; none for the traditional Chinese characters.
    fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.to_ascii_lowercase();
        let mut subtags = tag.split('-');
        let primary = subtags.next()?;
        let traditional = |subtag: &str| matches!(subtag, "hant" | "tw" | "hk" | "mo");
        if primary == "zh" && subtags.any(traditional) {
            return None;
        }
        Self::ALL
            .into_iter()
            .find(|language| language.tag().split('-').next() == Some(primary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_found_by_its_code_and_stored_as_it() {
        for language in Language::ALL {
            let code = language.code();
            assert_eq!(Language::from_code(code), Some(language));
            assert_eq!(Language::from_code(&code.to_lowercase()), Some(language));
            assert_eq!(serde_json::to_value(language).unwrap(), code);
            assert_eq!(Language::from_tag(language.tag()), Some(language));
        }
        for unknown in ["", "XX", "ENG", "e", "ZH"] {
            assert_eq!(Language::from_code(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_country_has_a_language_unless_it_has_several() {
        for (country, language) in [
            ("NL", Some(Language::Nl)),
            ("at", Some(Language::De)),
            ("BR", Some(Language::Pt)),
            ("MX", Some(Language::Es)),
            ("CN", Some(Language::Cn)),
            ("TW", None),
            ("BE", None),
            ("CH", None),
            ("GB", None),
            ("", None),
        ] {
            assert_eq!(Language::of_country(country), language, "{country}");
        }
    }

    #[test]
    fn the_readers_first_choice_among_ours_is_taken() {
        for (header, language) in [
            ("da, en-gb;q=0.8, en;q=0.7", Some(Language::Dk)),
            ("en;q=0.5, ja;q=0.9", Some(Language::Jp)),
            ("fi, sv;q=0.9", Some(Language::Se)),
            ("nl-BE", Some(Language::Nl)),
            ("zh-CN,zh;q=0.9", Some(Language::Cn)),
            ("zh-TW, ko;q=0.1", Some(Language::Kr)),
            ("de;q=0, it;q=0.1", Some(Language::It)),
            ("de;q=x, *;q=0.1", None),
            ("", None),
            (",;,-;q=", None),
        ] {
            assert_eq!(Language::preferred(header), language, "{header}");
        }
    }
}
