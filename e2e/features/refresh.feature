Feature: Refreshing
  Each use of a refresh token gives the next one. Who shows an older one ends the whole family.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app
    And a public client spa

  Scenario Outline: RT-01 RT-02 The tokens of <client> rotate, and an old one ends the family
    Given alice is signed in at <client>
    When <client> refreshes 3 times
    Then every refresh token so far is another one
    When <client> refreshes with the first refresh token
    Then the answer is 400 invalid_grant
    And the session is dead
    And the trail of the session is, in order:
      | session_created      |
      | token_issued         |
      | token_refreshed      |
      | token_refreshed      |
      | token_refreshed      |
      | token_reuse_detected |
    And the trail of the tenant holds token_reuse_detected once, as critical because of replayed

    Examples:
      | client |
      | app    |
      | spa    |

  Scenario: RT-06 A client with grace gets the same successor again, and never a second branch
    Given a confidential client patient with 60 seconds of grace
    And alice is signed in at patient
    When patient refreshes
    And patient refreshes with the first refresh token
    Then the answer is 200
    And the last two refresh tokens are the same
    When patient refreshes
    Then the answer is 200
    When patient refreshes with the first refresh token
    Then the answer is 400 invalid_grant
    And the session is dead

  Scenario: RT-08 In the hands of another client a refresh token is refused, and stays good for its own
    Given a confidential client thief
    And alice is signed in at app
    When thief refreshes
    Then the answer is 400 invalid_grant
    When app refreshes without authentication
    Then the answer is 401 invalid_client
    And the session is alive
    And the trail of the session is, in order:
      | session_created    |
      | token_issued       |
      | token_wrong_client |
      | token_refreshed    |

  Scenario: RT-12 Its client was disabled
    Given alice is signed in at app
    When app refreshes
    And the operator disables the client app
    And app refreshes
    Then the answer is 401 invalid_client
    And the access token of the session is refused within a second
    When the operator enables the client app
    And app refreshes
    Then the answer is 400 invalid_grant

  Scenario Outline: RT-14 RT-17 <what> is no refresh token
    Given alice is signed in at app
    When app refreshes with <what>
    Then the answer is 400 invalid_grant
    And the session is alive

    Examples:
      | what                  |
      | the access token      |
      | the ID token          |
      | the code              |
      | a token cut short     |
      | a token drawn out     |
      | a token in other case |

  Scenario: RT-16 The ID token of a refresh tells of the same sign-in
    Given alice is signed in at app
    When app refreshes
    Then the new ID token repeats issuer, subject, audience and time of sign-in, and has no nonce

  Scenario: A refresh may ask for less, and not for more
    Given alice is signed in at app with the scope "openid email offline_access"
    When app refreshes asking for "email"
    Then the answer is 200
    And the tokens are for "email"
    And no ID token is issued
    When app refreshes asking for "email profile"
    Then the answer is 400 invalid_scope
    When app refreshes
    Then the tokens are for "openid email offline_access"

  @serial
  Scenario: RT-04 A replay is a replay after a crash and with nothing left in Redis
    Given alice is signed in at app
    When app refreshes 2 times
    And auth-api is killed
    And auth-api is there again
    And redis forgets everything
    And app refreshes with the first refresh token
    Then the answer is 400 invalid_grant
    And the session is dead
