Feature: Userinfo
  Whoever holds a good token learns what its scope opens, and no more.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app

  Scenario Outline: UI-03 Asked <how>
    When userinfo is asked <how>
    Then the answer is a challenge <answer>

    Examples:
      | how                            | answer            |
      | without a token                | 401               |
      | with a token of another scheme | 401               |
      | with an empty token            | 401               |
      | with a random token            | 401 invalid_token |
      | with the refresh token         | 401 invalid_token |
      | with the code                  | 401 invalid_token |

  Scenario: UI-03 A token without openid is not enough
    Given a machine client robot with the scope "read"
    And robot has a token for itself
    When userinfo is asked with the machine's token
    Then the answer is a challenge 403 insufficient_scope
    Given alice is signed in at app with the scope "email"
    When app asks for userinfo
    Then the answer is a challenge 403 insufficient_scope

  Scenario Outline: UI-04 Asked <how>
    When userinfo is asked <how>
    Then the answer is <status>

    Examples:
      | how                                  | status |
      | with the scheme in lower case        | 200    |
      | with the token in the body           | 200    |
      | by POST with the token in the header | 200    |

  Scenario Outline: UI-04 Asked <how>
    When userinfo is asked <how>
    Then the answer is a challenge 400 invalid_request

    Examples:
      | how                               |
      | with two Authorization headers    |
      | with the token in header and body |

  Scenario Outline: UI-05 The scope "<scope>" opens <claims>
    Given alice is signed in at app with the scope "<scope>"
    When app asks for userinfo
    Then it tells of alice: <claims>
    And it may not be cached

    Examples:
      | scope                | claims                                       |
      | openid               | sub                                          |
      | openid email         | sub, email, email_verified                   |
      | openid profile       | sub, name, updated_at                        |
      | openid profile email | sub, name, updated_at, email, email_verified |

  Scenario: UI-06 CA-01 Its person was disabled
    When app asks for userinfo
    Then the answer is 200
    When the operator disables the user alice
    Then the session is dead within a second
    When the operator enables the user alice
    Then the session is dead
    When alice signs in at app
    And app exchanges the code
    Then the session is alive

  Scenario: UI-06 Its session was ended
    Given a public client spa
    And alice is signed in at spa on her laptop
    When alice ends the session from the laptop
    Then the answer is 204
    When app asks for userinfo
    Then the answer is a challenge 401 invalid_token
