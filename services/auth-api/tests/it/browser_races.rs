//! What two tabs or a client and a browser do at the same time: one outcome, whichever comes first.

use crate::support::{AuthorizeRequest, Browser, PASSWORD, REDIRECT_URI, Replica, Tokens, World};

/// How often a race is run.
const ROUNDS: usize = 12;

async fn tokens(world: &World, replica: &Replica, browser: &Browser<'_>) -> Tokens {
    let code = browser.code_for(&AuthorizeRequest::of(&world.client)).await;
    Tokens::from(&replica.exchange(&world.client, &code).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cc_01_after_a_logout_that_was_answered_no_refreshed_token_lives() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    for _ in 0..ROUNDS {
        let browser = Browser::new(&one);
        browser.sign_in_to("demo", &world.user).await;
        let mut newest = tokens(&world, &one, &browser).await;
        let page = browser.get("/auth/logout").await;
        let refreshing = async {
            loop {
                let answer = two.refresh(&world.client, &newest.refresh).await;
                if answer.status != 200 {
                    return answer;
                }
                newest = Tokens::from(&answer);
            }
        };
        let (refused, done) = tokio::join!(refreshing, browser.submit(&page, &[]));
        refused.refuses(400, "invalid_grant");
        assert_eq!(done.status, 303, "{}", done.text());
        one.assert_dead(&world.client, &newest).await;
    }
    assert_eq!(world.number("SELECT count(*) FROM session WHERE state = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_01_two_sign_ins_of_one_browser_at_once_leave_one_that_works() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let browser = Browser::new(&one);
    browser.sign_in_to("demo", &world.user).await;
    for _ in 0..ROUNDS {
        let before = browser.session("demo").unwrap();
        let tab = browser.at(&two);
        let (first, second) = (browser.get("/t/demo/sign-in").await, tab.get("/t/demo/sign-in").await);
        let answers = tokio::join!(
            browser.fill_sign_in(&first, &world.user.email, PASSWORD),
            tab.fill_sign_in(&second, &world.user.email, PASSWORD)
        );
        assert_eq!((answers.0.status, answers.1.status), (303, 303));
        // The later answer's cookie is the one that a browser keeps.
        let kept = tab.session("demo").unwrap();
        assert_ne!(browser.session("demo"), Some(kept.clone()));
        browser.set_cookie("__Host-credo_demo", &kept);
        browser.code_for(&AuthorizeRequest::of(&world.client)).await;
        let copied = tab.at(&one);
        copied.set_cookie("__Host-credo_demo", &before);
        let silent = AuthorizeRequest::of(&world.client).with("prompt", "none");
        copied.authorize(&silent).await.tells_client("login_required");
    }
    // Whoever signs out leaves nothing behind, of the cookie that was not kept either.
    let tokens = tokens(&world, &one, &browser).await;
    let page = browser.get("/auth/logout").await;
    assert_eq!(browser.submit(&page, &[]).await.status, 303);
    one.assert_dead(&world.client, &tokens).await;
    let alive = "SELECT count(*) FROM browser_session WHERE ended_at IS NULL";
    assert_eq!(world.number(alive).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_sign_in_to_one_request_at_once_both_get_there() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    for _ in 0..ROUNDS {
        let browser = Browser::new(&one);
        browser.get("/t/demo/sign-in").await;
        let tab = browser.at(&two);
        let request = AuthorizeRequest::of(&world.client);
        let (first, second) = (browser.authorize(&request).await, tab.authorize(&request).await);
        let sign_in = async |browser: &Browser<'_>, page| {
            let answer = browser.fill_sign_in(page, &world.user.email, PASSWORD).await;
            browser.follow(answer).await.callback(REDIRECT_URI)
        };
        let (left, right) = tokio::join!(sign_in(&browser, &first), sign_in(&tab, &second));
        one.exchange(&world.client, &left["code"]).await.ok();
        two.exchange(&world.client, &right["code"]).await.ok();
    }
}
