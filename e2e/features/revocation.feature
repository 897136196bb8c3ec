Feature: Revoking tokens
  A client ends what it was issued. Nobody else's token is touched, and nobody is told what it was.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app
    And a confidential client other

  Scenario Outline: RV-01 RV-02 RV-06 Revoking <what> with the hint <hint> ends the session
    Given alice is signed in at app
    When app refreshes
    And app revokes <what> with the hint <hint>
    Then the answer is 200
    And the session is dead
    And the trail of the session is, in order:
      | session_created |
      | token_issued    |
      | token_refreshed |
      | token_revoked   |

    Examples:
      | what              | hint          |
      | the refresh token | refresh_token |
      | the refresh token | access_token  |
      | the access token  | access_token  |
      | the access token  | nonsense      |

  Scenario: RV-02 A machine ends its own token
    Given a machine client robot with the scope "read"
    And robot has a token for itself
    When robot introspects the machine's token
    Then it is active
    When robot revokes the machine's token
    Then the answer is 200
    When robot introspects the machine's token
    Then it is inactive, and nothing else is said

  Scenario Outline: RV-03 <what> is revoked without effect
    Given alice is signed in at app
    When app revokes <what>
    Then the answer is 200
    And the session is alive

    Examples:
      | what                                   |
      | a made-up token                        |
      | a random text                          |
      | the ID token                           |
      | the access token signed by a stranger  |

  Scenario Outline: RV-04 Another client revokes <what>
    Given alice is signed in at app
    When other revokes <what>
    Then the answer is 200
    And the session is alive

    Examples:
      | what              |
      | the refresh token |
      | the access token  |

  Scenario: RV-05 Who does not prove to be the client revokes nothing
    Given alice is signed in at app
    When app tries to revoke the access token without authentication
    Then the answer is 401 invalid_client
    When app tries to revoke the access token with a wrong secret
    Then the answer is 401 invalid_client
    And the session is alive

  Scenario: RV-08 The signature is looked at before anything changes, whatever the token's age
    Given alice is signed in at app
    When app revokes the expired access token
    Then the answer is 200
    And the session is alive

  @serial
  Scenario: RV-07 While the database is away nothing is said to be revoked that is not
    Given alice is signed in at app
    When postgres is stopped
    And app revokes the refresh token
    Then the answer is 503 temporarily_unavailable
    And it says when to try again
    When postgres is there again
    Then the session is alive

  @serial
  Scenario: RV-07 While Redis is away a token is revoked all the same
    Given alice is signed in at app
    When redis is stopped
    And app revokes the refresh token
    Then the answer is 200
    And the session is dead
    When redis is there again
    Then the session is dead
