Feature: Introspection
  A confidential client learns about its own tokens. About all others it learns that they are not active.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: IN-01 Who does not prove to be a client learns nothing
    Given alice is signed in at app
    When app tries to introspect the access token without authentication
    Then the answer is 401 invalid_client
    When app tries to introspect the access token with a wrong secret
    Then the answer is 401 invalid_client

  Scenario: IN-01 A public client cannot ask
    Given a public client spa
    And alice is signed in at spa
    When spa introspects the access token
    Then the answer is 401 invalid_client

  Scenario: IN-02 A client that the token is not for
    Given a confidential client other
    And alice is signed in at app
    When other introspects the access token
    Then it is inactive, and nothing else is said
    When other introspects the refresh token
    Then it is inactive, and nothing else is said

  Scenario Outline: IN-03 <what> is not active
    Given alice is signed in at app
    When app refreshes
    And app introspects <what>
    Then it is inactive, and nothing else is said
    And the session is alive

    Examples:
      | what                                  |
      | the first refresh token               |
      | the code                              |
      | the ID token                          |
      | a made-up token                       |
      | a random text                         |
      | the expired access token              |
      | the access token signed by a stranger |

  Scenario: IN-03 A revoked token is not active
    Given alice is signed in at app
    When app revokes the access token
    And app introspects the access token
    Then it is inactive, and nothing else is said
    When app introspects the refresh token
    Then it is inactive, and nothing else is said

  Scenario Outline: IN-05 <what> is active, in the types of the RFC, and not to be cached
    Given alice is signed in at app
    When app introspects <what>
    Then it is active
    And it tells scope, client, subject, times and issuer in the types of RFC 7662
    And it may not be cached

    Examples:
      | what              |
      | the access token  |
      | the refresh token |
