//! A person's profile as it travels: an empty member is absent.

use credo_auth_domain::profile::{Address, Profile};
use credo_proto::admin::v1 as proto;

fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A profile as it was sent.
pub(super) fn parse(message: proto::Profile) -> Profile {
    let address = message.address.map(|address| Address {
        formatted: present(address.formatted),
        street_address: present(address.street_address),
        locality: present(address.locality),
        region: present(address.region),
        postal_code: present(address.postal_code),
        country: present(address.country),
    });
    Profile {
        given_name: present(message.given_name),
        family_name: present(message.family_name),
        middle_name: present(message.middle_name),
        nickname: present(message.nickname),
        preferred_username: present(message.preferred_username),
        profile: present(message.profile),
        picture: present(message.picture),
        website: present(message.website),
        gender: present(message.gender),
        birthdate: present(message.birthdate),
        zoneinfo: present(message.zoneinfo),
        locale: present(message.locale),
        phone_number: present(message.phone_number),
        phone_number_verified: message.phone_number_verified,
        address: address.filter(|address| !address.is_empty()),
    }
}

/// A profile as it is answered.
pub(super) fn shape(profile: Profile) -> proto::Profile {
    let address = profile.address.map(|address| proto::Address {
        formatted: address.formatted.unwrap_or_default(),
        street_address: address.street_address.unwrap_or_default(),
        locality: address.locality.unwrap_or_default(),
        region: address.region.unwrap_or_default(),
        postal_code: address.postal_code.unwrap_or_default(),
        country: address.country.unwrap_or_default(),
    });
    proto::Profile {
        given_name: profile.given_name.unwrap_or_default(),
        family_name: profile.family_name.unwrap_or_default(),
        middle_name: profile.middle_name.unwrap_or_default(),
        nickname: profile.nickname.unwrap_or_default(),
        preferred_username: profile.preferred_username.unwrap_or_default(),
        profile: profile.profile.unwrap_or_default(),
        picture: profile.picture.unwrap_or_default(),
        website: profile.website.unwrap_or_default(),
        gender: profile.gender.unwrap_or_default(),
        birthdate: profile.birthdate.unwrap_or_default(),
        zoneinfo: profile.zoneinfo.unwrap_or_default(),
        locale: profile.locale.unwrap_or_default(),
        phone_number: profile.phone_number.unwrap_or_default(),
        phone_number_verified: profile.phone_number_verified,
        address,
    }
}
