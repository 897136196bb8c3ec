//! What a person says of themself (OpenID Connect Core section 5.1): a closed list of typed, bounded claims.
//!
//! A claim that decides anything (`sub`, `iss`, `sid`, `email_verified`, …) is no member of it: nobody can set one by setting
//! a profile. Members that a row has and this version does not know are passed over and never shown.

mod rules;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::rules::{is_birthdate, is_locale, is_phone_number, is_text, is_url, is_zone};

/// Most bytes of all of it as JSON.
const MAX_BYTES: usize = 4_096;

/// A person's profile. Every member may be absent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "named as the claims are")]
pub struct Profile {
    /// First names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Middle names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// What friends say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// What they like to be called; neither unique nor a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// Their page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// An image of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Their site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// In their own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// A name of the IANA time zone database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// A language tag (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// E.164, with an extension if need be (RFC 3966).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the number was proved to be theirs; never without a number.
    #[serde(skip_serializing_if = "is_false")]
    pub phone_number_verified: bool,
    /// Where they live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address (OpenID Connect Core section 5.1.1). Every member may be absent, but not all.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "named as the claims are")]
pub struct Address {
    /// All of it, as on an envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street, house, floor; several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A member that cannot be, and what it must be.
pub type Violation = (&'static str, &'static str);

const TEXT_RULE: &str = "must have 1 to 200 characters, none of them a control character, and not be blank";
const ADDRESS_RULE: &str =
    "its members must have 1 to 200 characters, none of them a control character but line feed, and not be blank";

impl Profile {
    /// The members that can be changed one by one.
    pub const MEMBERS: [&str; 15] = [
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
        "phone_number_verified",
        "address",
    ];

    /// This profile with the members of another that `takes` names. Another number is not verified, unless the other says so.
    #[must_use]
    pub fn with(mut self, other: &Self, takes: impl Fn(&str) -> bool) -> Self {
        macro_rules! take {
            ($($member:ident)*) => {$(
                if takes(stringify!($member)) {
                    self.$member.clone_from(&other.$member);
                }
            )*};
        }
        let number = self.phone_number.clone();
        take!(given_name family_name middle_name nickname preferred_username profile picture website gender birthdate
              zoneinfo locale phone_number address);
        if takes("phone_number_verified") {
            self.phone_number_verified = other.phone_number_verified;
        } else if self.phone_number != number {
            self.phone_number_verified = false;
        }
        self
    }

    /// Everything that cannot be.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let texts = [
            ("profile.given_name", &self.given_name),
            ("profile.family_name", &self.family_name),
            ("profile.middle_name", &self.middle_name),
            ("profile.nickname", &self.nickname),
            ("profile.preferred_username", &self.preferred_username),
            ("profile.gender", &self.gender),
        ];
        let texts = texts.map(|(field, value)| (field, value, is_text as fn(&str) -> bool, TEXT_RULE));
        let urls = [
            ("profile.profile", &self.profile),
            ("profile.picture", &self.picture),
            ("profile.website", &self.website),
        ];
        let url_rule = "must be an http or https URL of at most 1024 bytes";
        let urls = urls.map(|(field, value)| (field, value, is_url as fn(&str) -> bool, url_rule));
        let others = [
            (
                "profile.birthdate",
                &self.birthdate,
                is_birthdate as fn(&str) -> bool,
                "must be YYYY-MM-DD, 0000-MM-DD or YYYY",
            ),
            (
                "profile.zoneinfo",
                &self.zoneinfo,
                is_zone,
                "must be an IANA time zone, such as Europe/Zurich",
            ),
            (
                "profile.locale",
                &self.locale,
                is_locale,
                "must be a language tag, such as de-CH",
            ),
            (
                "profile.phone_number",
                &self.phone_number,
                is_phone_number,
                "must be in the form of E.164, such as +41446681800, with ;ext= for an extension",
            ),
        ];
        let mut violations: Vec<Violation> = texts
            .into_iter()
            .chain(urls)
            .chain(others)
            .filter(|(_, value, holds, _)| value.as_deref().is_some_and(|value| !holds(value)))
            .map(|(field, _, _, rule)| (field, rule))
            .collect();
        if self.phone_number_verified && self.phone_number.is_none() {
            violations.push(("profile.phone_number_verified", "there is no phone_number"));
        }
        if self.address.as_ref().is_some_and(|address| !address.is_valid()) {
            violations.push(("profile.address", ADDRESS_RULE));
        }
        if serde_json::to_vec(self).map_or(true, |json| json.len() > MAX_BYTES) {
            violations.push(("profile", "must be at most 4096 bytes as JSON"));
        }
        violations
    }
}

impl Address {
    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn is_valid(&self) -> bool {
        let lines = |text: &String| is_text(&text.replace('\n', " "));
        let members = [
            &self.formatted,
            &self.street_address,
            &self.locality,
            &self.region,
            &self.postal_code,
            &self.country,
        ];
        !self.is_empty() && members.into_iter().flatten().all(lines)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference to the field"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Personal data: logs do not show it.
impl fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Profile")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Address")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn fields(profile: &Profile) -> Vec<&'static str> {
        profile.violations().into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn id_04_reserved_claims_are_no_members() {
        let text = r#"{"given_name":"Ann","sub":"x","iss":"x","aud":"x","exp":1,"sid":"x","tid":"x","email":"x",
            "email_verified":true,"acr":"x","address":{"country":"CH","sub":"x"}}"#;
        let profile: Profile = serde_json::from_str(text).unwrap();
        assert_eq!(
            serde_json::to_string(&profile).unwrap(),
            r#"{"given_name":"Ann","address":{"country":"CH"}}"#
        );
        assert_eq!(serde_json::to_string(&Profile::default()).unwrap(), "{}");
    }

    #[test]
    fn every_member_is_held_to_its_rule() {
        let bad = || Some("\u{0}".to_owned());
        let profile = Profile {
            given_name: bad(),
            family_name: bad(),
            middle_name: bad(),
            nickname: bad(),
            preferred_username: bad(),
            profile: bad(),
            picture: bad(),
            website: bad(),
            gender: bad(),
            birthdate: bad(),
            zoneinfo: bad(),
            locale: bad(),
            phone_number: bad(),
            phone_number_verified: true,
            address: Some(Address {
                country: bad(),
                ..Address::default()
            }),
        };
        let members: serde_json::Value = serde_json::to_value(&profile).unwrap();
        let mut expected: Vec<_> = members
            .as_object()
            .unwrap()
            .keys()
            .map(|name| format!("profile.{name}"))
            .collect();
        expected.retain(|name| name != "profile.phone_number_verified");
        let mut found = fields(&profile);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn members_fit_together_and_all_of_it_is_bounded() {
        let unproved = Profile {
            phone_number_verified: true,
            ..Profile::default()
        };
        assert_eq!(fields(&unproved), ["profile.phone_number_verified"]);
        let empty = Profile {
            address: Some(Address::default()),
            ..Profile::default()
        };
        assert_eq!(fields(&empty), ["profile.address"]);
        let lines = Address {
            street_address: Some("Long Street 1\nFloor 2".to_owned()),
            ..Address::default()
        };
        let url = Some(format!("https://a.example/{}", "x".repeat(1_000)));
        let name = Some("\u{1f600}".repeat(200));
        let mut large = Profile {
            address: Some(lines),
            given_name: name.clone(),
            family_name: name,
            ..Profile::default()
        };
        assert!(fields(&large).is_empty());
        (large.profile, large.picture, large.website) = (url.clone(), url.clone(), url);
        assert_eq!(fields(&large), ["profile"]);
    }
}
