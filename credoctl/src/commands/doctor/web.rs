//! The public side: TLS, whether it calls itself what it is called, its keys, its clock, its proxy.

use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::{Findings, network};
use crate::{
    access,
    commands::Session,
    console::Progress,
    context::{Chosen, SYSTEM_TENANT},
    http::{Answer, Call, Http},
    oauth::metadata::{Metadata, document},
};

/// Tokens live for minutes; beyond this, clients begin to refuse them.
const SKEW_SECONDS: i64 = 5;
const BAD_SKEW_SECONDS: i64 = 60;

/// Looks.
pub async fn look(session: &Session, chosen: &Chosen, findings: &mut Findings, progress: &Progress) {
    let public = &chosen.context.public.url;
    progress.now(public.as_str());
    if !network::reachable("public", public, findings).await {
        return;
    }
    let http = match access::http(chosen) {
        Ok(http) => http,
        Err(failure) => return findings.failed("public: TLS", &failure, "look at the context's certificates"),
    };
    let login = if chosen.context.login_tenant.is_empty() {
        SYSTEM_TENANT
    } else {
        &chosen.context.login_tenant
    };
    let mut slugs = vec![login.to_owned()];
    let tenant = session.globals.tenant().or(chosen.context.tenant.as_deref());
    slugs.extend(
        tenant
            .filter(|tenant| *tenant != login && uuid::Uuid::try_parse(tenant).is_err())
            .map(ToOwned::to_owned),
    );
    for (index, slug) in slugs.iter().enumerate() {
        if !issuer(chosen, &http, slug, index == 0, findings).await {
            return;
        }
    }
}

/// One issuer. The first look tells of TLS, clock and proxy too.
async fn issuer(chosen: &Chosen, http: &Http, slug: &str, first: bool, findings: &mut Findings) -> bool {
    let Ok(issuer) = chosen.context.issuer(slug) else {
        return false;
    };
    let answer = match http.send(Call::get(document(&issuer))).await {
        Ok(answer) => answer,
        Err(failure) => {
            findings.failed(
                "public: TLS and HTTP",
                &failure,
                "a certificate that is not believed needs the context's --ca-file",
            );
            return false;
        }
    };
    if first {
        let secure = issuer.starts_with("https:");
        let way = if secure {
            "TLS, and a certificate that is believed"
        } else {
            "no TLS"
        };
        let loopback = ["//127.0.0.1", "//localhost", "//[::1]"]
            .iter()
            .any(|place| issuer.contains(place));
        if secure || loopback {
            findings.ok("public: HTTP", format!("answers; {way}"));
        } else {
            findings.warn(
                "public: HTTP",
                format!("answers; {way}"),
                "tokens and passwords travel readable: put TLS in front of it",
            );
        }
        clock(&answer, findings);
        proxy(&answer, findings);
    }
    let check = format!("issuer {slug}");
    match Metadata::discover(http, &issuer).await {
        Ok(metadata) => {
            findings.ok(check, metadata.issuer.as_str());
            keys(http, &metadata, slug, findings).await;
        }
        Err(failure) => findings.failed(check, &failure, "is the tenant there, and active? credoctl tenant get"),
    }
    true
}

async fn keys(http: &Http, metadata: &Metadata, slug: &str, findings: &mut Findings) {
    let check = format!("JWKS {slug}");
    let found = match http.send(Call::get(&metadata.jwks_uri)).await {
        Ok(answer) => answer.json::<jsonwebtoken::jwk::JwkSet>("JWKS"),
        Err(failure) => Err(failure),
    };
    match found {
        Ok(keys) if keys.keys.is_empty() => findings.fail(check, "there is no key in it", "credoctl key list"),
        Ok(keys) => {
            let ids: Vec<_> = keys.keys.iter().filter_map(|key| key.common.key_id.clone()).collect();
            findings.ok(check, format!("{} keys: {}", keys.keys.len(), ids.join(", ")));
        }
        Err(failure) => findings.failed(check, &failure, "credoctl key list"),
    }
}

fn clock(answer: &Answer, findings: &mut Findings) {
    let theirs = answer.header("date").map(|date| date.replace("GMT", "+0000"));
    let theirs = theirs.and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok());
    let Some(theirs) = theirs else {
        return findings.warn("clock", "the answer carries no date", "compare the clocks by hand");
    };
    skew(theirs.unix_timestamp() - access::now(), findings);
}

/// `seconds` is how far the server is ahead of us.
fn skew(seconds: i64, findings: &mut Findings) {
    let text = format!(
        "the server's clock is {} s {} ours",
        seconds.abs(),
        if seconds < 0 { "behind" } else { "ahead of" }
    );
    match seconds.abs() {
        0..=SKEW_SECONDS => findings.ok("clock", "the server's and ours agree"),
        ..=BAD_SKEW_SECONDS => findings.warn("clock", text, "look at NTP on both"),
        _ => findings.fail(
            "clock",
            text,
            "tokens seem not yet or no more good: set the clock that is wrong, by NTP",
        ),
    }
}

/// What shows that somebody stands in between.
fn proxy(answer: &Answer, findings: &mut Findings) {
    let between: Vec<_> = ["via", "server", "x-served-by", "cf-ray"]
        .into_iter()
        .filter_map(|name| Some(format!("{name}: {}", answer.header(name)?)))
        .collect();
    if between.is_empty() {
        findings.ok("proxy", "none shows itself");
    } else {
        findings.warn(
            "proxy",
            between.join(", "),
            "is its address in CREDO_TRUSTED_PROXIES, and does it set X-Forwarded-For? Else all clients share one address's limits",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn clocks_that_differ_are_told() {
        for (seconds, verdict) in [
            (0, Verdict::Ok),
            (-5, Verdict::Ok),
            (30, Verdict::Warn),
            (-3600, Verdict::Fail),
        ] {
            let mut findings = Findings::default();
            skew(seconds, &mut findings);
            assert_eq!(findings.0[0].verdict, verdict, "{seconds}");
        }
    }
}
