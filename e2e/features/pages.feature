@serial @pages
Feature: Pages in a real browser
  What people see works in Chromium by mouse and by keyboard, with script and without, narrow and wide, light and dark, in
  English and in German; and its content security policy lets a sign-in lead back to the app, and to nothing else.

  Background:
    Given a tenant
    And a user Alice

  Scenario Outline: Every page on the way in is good in <language>
    Given Chromium in <language>
    And a first-party client Photos that answers at its site
    When Photos sends Chromium to sign in
    Then the title is <sign in>
    And the focus is on email
    And the page "sign-in" is good in every view
    When Alice types her address and a wrong password there
    Then the title is <error>
    And the focus is on summary
    And the page "sign-in-wrong" is good in every view
    When Chromium opens /auth/authorize?client_id=nobody
    Then the title is <error>
    And the focus is on summary
    And the page "error" is good in every view
    When Chromium opens /t/{slug}/nothing
    Then the title is <error>
    And the page "not-found" is good in every view

    Examples:
      | language | sign in  | error  |
      | English  | Sign in  | Error  |
      | German   | Anmelden | Fehler |

  Scenario: Every other page is good in both languages
    Given Chromium in English
    And a third-party client Photos that answers on a loopback port
    When Photos sends Chromium to sign in
    And Alice types her address and password there
    Then the page "consent" is good in every view
    When she chooses Deutsch
    Then the title is Zugriff
    And the page "consent" is good in every view
    When she presses consent-allow
    Then Chromium is at http://127.0.0.1
    When Chromium opens /auth/logout
    Then the title is Abmelden
    And the page "logout" is good in every view
    When she presses logout-confirm
    Then the title is Sie sind abgemeldet
    And the page "signed-out" is good in every view
    When she chooses English
    Then the title is You are signed out
    And the page "signed-out" is good in every view

  Scenario Outline: A sign-in leads back to an app <place>, past the content security policy
    Given Chromium in English
    And a third-party client Photos that answers <place>
    When Photos sends Chromium to sign in
    And Alice types her address and password there
    And she presses consent-<decision>
    Then Chromium is at <answer>

    Examples:
      | place              | decision | answer                           |
      | at its site        | allow    | https://app.example/callback?    |
      | on a loopback port | allow    | /callback?code=                  |
      | on a loopback port | deny     | /callback?error=access_denied    |

  Scenario: A sign-in leads back to an app with a scheme of its own, past the content security policy
    Given Chromium in English
    And a third-party client Photos that answers in its app
    When Photos sends Chromium to sign in
    And Alice types her address and password there
    And she presses consent-allow
    Then Chromium wants to start the app of com.example.credo

  Scenario: Keys are enough, and the focus is always seen
    Given Chromium in English
    And a third-party client Photos that answers on a loopback port
    When Photos sends Chromium to sign in
    And Alice signs in by keyboard alone
    And she reaches consent-allow by keyboard and presses it
    Then Chromium is at /callback?code=

  Scenario: Script is not needed, nor is it for an answer by form
    Given Chromium without script
    And a first-party client Photos that answers on a loopback port
    When Photos sends Chromium to sign in with response_mode=form_post
    And Alice types her address and password there
    And she presses form-post-send
    Then Chromium is at /callback

  Scenario: An answer by form goes on by itself
    Given Chromium in English
    And a first-party client Photos that answers on a loopback port
    When Photos sends Chromium to sign in with response_mode=form_post
    And Alice types her address and password there
    Then Chromium is at /callback

  Scenario: SE-02 Chromium keeps the sign-in's cookie from script, from other sites and from other hosts
    Given Chromium in English
    And a first-party client Photos that answers on a loopback port
    When Photos sends Chromium to sign in
    And Alice types her address and password there
    Then Chromium is at /callback?code=
    When Chromium opens /auth/logout
    Then the cookie __Host-credo_ is Secure, HttpOnly, Lax and for the whole host

  Scenario: The account page is good in both languages
    Given Chromium in German
    When Chromium opens /t/{slug}/account
    Then the title is Anmelden
    When Alice types her address and a wrong password there
    Then the title is Fehler
    When she chooses English
    And Alice types her address and password there
    Then the title is Your account
    And the page "account" is good in every view
    When she presses password-change
    Then the title is Error
    And the focus is on summary
    And the page "account-wrong" is good in every view
    When she chooses Deutsch
    Then the title is Ihr Konto
    And the page "account" is good in every view
