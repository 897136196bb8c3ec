//! All pages in both languages: what every one of them must have, and what it must not let through.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use time::macros::datetime;

use super::*;

/// What an attacker would like to see on a page as it is.
const HOSTILE: &str = "\"'><script>alert(1)</script>\u{202e}&amp;{{7}}{ $x }";

fn look(language: Language, name: &str) -> Look {
    Look {
        language,
        theme: Theme {
            tenant: Some(TenantTheme {
                slug: "demo".to_owned(),
                name: name.to_owned(),
                style_version: Some("1".to_owned()),
                logo_version: Some("2".to_owned()),
            }),
        },
        here: format!("/auth/sign-in?request={name}&language=en"),
    }
}

/// Every page in its fullest form, with `text` wherever a text of others is shown.
fn pages(look: &Look, text: &str) -> Vec<(String, String)> {
    let mut all = sign_in_pages(look, text);
    all.extend(consent_pages(look, text));
    all.extend(other_pages(look, text));
    all.extend(account_pages(look, text));
    all
}

fn sign_in_pages(look: &Look, text: &str) -> Vec<(String, String)> {
    let own = || text.to_owned();
    let mut all = Vec::new();
    for error in [
        None,
        Some(SignInError::NoEmail),
        Some(SignInError::NoPassword),
        Some(SignInError::NoEmailAndPassword),
        Some(SignInError::Wrong),
        Some(SignInError::TooManyAttempts {
            retry_after_seconds: 30,
        }),
    ] {
        for reason in [
            None,
            Some(SignInReason::Again),
            Some(SignInReason::Choose),
            Some(SignInReason::Ended),
        ] {
            let page = SignInPage {
                action: "/auth/sign-in".to_owned(),
                client_name: reason.map(|_| own()),
                email: own(),
                error,
                reason,
                continue_as: reason.map(|_| ContinueAs {
                    name: Some(own()),
                    email: own(),
                }),
                csrf: own(),
                request: Some(own()),
            };
            all.push((format!("sign-in {error:?} {reason:?}"), page.render(look)));
        }
    }
    all
}

fn consent_pages(look: &Look, text: &str) -> Vec<(String, String)> {
    let own = || text.to_owned();
    let mut all = Vec::new();
    for redirect_uri in ["https://photos.example/cb", "http://127.0.0.1:4711/cb"] {
        let scopes = [
            "openid",
            "profile",
            "email",
            "phone",
            "address",
            "offline_access",
            "credo.sessions",
            text,
        ];
        let asked = |already_granted| {
            scopes.map(|scope| ConsentScope {
                scope: scope.to_owned(),
                already_granted,
            })
        };
        let page = ConsentPage {
            action: "/auth/consent".to_owned(),
            client_name: own(),
            redirect_uri: redirect_uri.to_owned(),
            name: Some(own()),
            email: own(),
            scopes: [asked(false), asked(true)].concat(),
            account_url: "/t/demo/account".to_owned(),
            switch_account_url: Some("/auth/sign-in".to_owned()),
            csrf: own(),
            request: own(),
        };
        all.push((format!("consent {redirect_uri}"), page.render(look)));
    }
    all
}

fn other_pages(look: &Look, text: &str) -> Vec<(String, String)> {
    let own = || text.to_owned();
    let back = || {
        Some(BackLink {
            client_name: own(),
            url: "https://photos.example/".to_owned(),
        })
    };
    let mut all = Vec::new();
    for client_name in [None, Some(own())] {
        let page = LogoutPage {
            action: "/auth/logout".to_owned(),
            client_name,
            name: Some(own()),
            email: own(),
            stay_url: Some("/t/demo/account".to_owned()),
            csrf: own(),
            fields: vec![(own(), own())],
        };
        all.push(("logout".to_owned(), page.render(look)));
    }
    let page = SignedOutPage {
        back: back(),
        sign_in_url: Some("/t/demo/account".to_owned()),
    };
    all.push(("signed out".to_owned(), page.render(look)));
    for kind in ErrorKind::ALL {
        let page = ErrorPage {
            kind,
            reference: own(),
            back: back(),
        };
        all.push((format!("error {kind:?}"), page.render(look)));
    }
    let page = FormPostPage {
        redirect_uri: "https://photos.example/cb".to_owned(),
        client_name: own(),
        fields: vec![("code".to_owned(), own()), ("state".to_owned(), own())],
    };
    all.push(("form post".to_owned(), page.render(look)));
    all
}

fn account_pages(look: &Look, text: &str) -> Vec<(String, String)> {
    let own = || text.to_owned();
    let at = datetime!(2026-03-09 17:05 UTC);
    let session = |current, kind, user_agent: Option<&str>| AccountSession {
        id: own(),
        kind,
        user_agent: user_agent.map(ToOwned::to_owned),
        signed_in_at: at,
        seen_at: Some(at),
        current,
    };
    let app = |revoked| ConnectedApp {
        id: own(),
        name: own(),
        scopes: vec!["openid".to_owned(), own()],
        at,
        revoked,
    };
    let full = AccountPage {
        base: "/t/demo/account".to_owned(),
        name: Some(own()),
        email: own(),
        sessions: vec![
            session(true, SessionKind::Browser, Some("Firefox/1 Linux")),
            session(false, SessionKind::App(own()), Some(text)),
            session(false, SessionKind::Browser, None),
        ],
        apps: vec![app(false), app(true)],
        has_password: true,
        notice: None,
        problem: None,
        csrf: own(),
    };
    let mut all = vec![(
        "account, empty".to_owned(),
        AccountPage {
            email: own(),
            ..AccountPage::default()
        }
        .render(look),
    )];
    for notice in AccountNotice::ALL {
        let notice = Some(notice);
        all.push((
            format!("account {notice:?}"),
            AccountPage { notice, ..full.clone() }.render(look),
        ));
    }
    for problem in [
        PasswordProblem::NoCurrent,
        PasswordProblem::WrongCurrent,
        PasswordProblem::NoNew,
        PasswordProblem::TooShort { minimum: 12 },
        PasswordProblem::TooLong,
        PasswordProblem::Common,
        PasswordProblem::Guessable,
        PasswordProblem::TooManyAttempts {
            retry_after_seconds: 90,
        },
    ] {
        let problem = Some(problem);
        all.push((
            format!("account {problem:?}"),
            AccountPage {
                problem,
                ..full.clone()
            }
            .render(look),
        ));
    }
    all
}

#[test]
fn no_text_of_others_becomes_markup() {
    for language in Language::ALL {
        for (name, html) in pages(&look(language, HOSTILE), HOSTILE) {
            assert!(!html.contains("<script>"), "{name}: {html}");
            assert!(!html.contains("\"'>"), "{name}: {html}");
            assert!(html.contains("&#60;script&#62;"), "{name} shows nothing of it");
        }
    }
}

#[test]
fn every_page_says_what_it_is() {
    for language in Language::ALL {
        let failed = if language == Language::German {
            "Fehler: "
        } else {
            "Error: "
        };
        for (name, html) in pages(&look(language, "Demo"), "text") {
            assert!(html.starts_with("<!doctype html>"), "{name}");
            assert!(
                html.contains(&format!("<html lang=\"{}\" dir=\"ltr\">", language.tag())),
                "{name}"
            );
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert_eq!(html.matches("<main").count(), 1, "{name}");
            assert_eq!(
                html.contains("role=\"alert\""),
                html.contains(&format!("<title>{failed}")),
                "{name}"
            );
            assert!(html.matches(" autofocus").count() <= 1, "{name}");
            assert!(!html.contains("\u{2068}"), "{name}");
        }
    }
}

#[test]
fn no_page_needs_more_than_this_server() {
    for (name, html) in pages(&look(Language::English, "Demo"), "text") {
        for attribute in [
            " style=",
            " onclick=",
            " onload=",
            "javascript:",
            "<style",
            "src=\"http",
        ] {
            assert!(!html.contains(attribute), "{name}: {attribute}");
        }
        let script = usize::from(name == "form post");
        assert_eq!(html.matches("<script").count(), script, "{name}");
        assert!(
            html.len() + STYLE.len() + ICON.len() < 50_000,
            "{name}: {} bytes",
            html.len()
        );
    }
}

#[test]
fn every_field_of_a_form_is_named_and_tied_to_its_problem() {
    for (name, html) in pages(&look(Language::English, "Demo"), "text") {
        for input in html
            .split("<input ")
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap())
        {
            let value = |attribute: &str| {
                let (_, rest) = input.split_once(&format!("{attribute}=\""))?;
                rest.split('"').next()
            };
            if value("type") == Some("hidden") || value("aria-hidden") == Some("true") {
                continue;
            }
            let id = value("id").unwrap();
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{name}: {id}");
            assert!(
                value("autocomplete").is_some() && input.contains("spellcheck=\"false\""),
                "{name}: {id}"
            );
            if value("aria-invalid").is_some() {
                let problem = value("aria-describedby").unwrap();
                assert!(html.contains(&format!("id=\"{problem}\"")), "{name}: {id}");
                assert!(html.contains(&format!("href=\"#{id}\"")), "{name}: {id}");
            }
        }
    }
}

#[test]
fn a_language_link_keeps_everything_else() {
    let mut look = look(Language::English, "Demo");
    look.here = "/auth/sign-in?request=a.b&language=en&x=1".to_owned();
    let html = SignInPage::default().render(&look);
    assert!(
        html.contains("href=\"/auth/sign-in?request=a.b&#38;x=1&#38;language=de\""),
        "{html}"
    );
}

#[test]
fn dates_are_said_in_the_readers_language() {
    let at = datetime!(2026-03-09 18:05 +1);
    assert_eq!(instant::in_words(Language::English, at), "9 March 2026, 17:05 UTC");
    assert_eq!(
        instant::in_words(Language::German, at),
        "9. M\u{e4}rz 2026, 17:05 Uhr (UTC)"
    );
    assert_eq!(instant::for_programs(&at), "2026-03-09T17:05Z");
}

#[test]
fn colours_are_checked_against_those_that_the_pages_have() {
    use credo_auth_domain::branding::Scheme;
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
    for (scheme, style) in [(Scheme::Light, light), (Scheme::Dark, dark)] {
        for name in ["--page", "--card", "--soft", "--on-accent"] {
            let (_, rest) = style.split_once(&format!("{name}: ")).unwrap();
            let color = rest.split(';').next().unwrap().parse().unwrap();
            assert!(scheme.neighbours().contains(&color), "{scheme:?} {name} {color}");
        }
        let (_, rest) = style.split_once("--accent: ").unwrap();
        scheme
            .check_accent(rest.split(';').next().unwrap().parse().unwrap())
            .unwrap();
    }
}
