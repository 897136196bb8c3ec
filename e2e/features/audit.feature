Feature: The audit trail
  What happened is in the trail once, in the order in which it happened, with nothing beside it, and provable.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: The life of a session
    Given alice is signed in at app
    When app refreshes 5 times
    And app refreshes with the second refresh token
    Then the answer is 400 invalid_grant
    And the trail of the session is, in order:
      | session_created      |
      | token_issued         |
      | token_refreshed      |
      | token_refreshed      |
      | token_refreshed      |
      | token_refreshed      |
      | token_refreshed      |
      | token_reuse_detected |
    And every event of the session names alice, app and the session
    And a caller with credo.audit.personal sees where it happened
    And a caller without credo.audit.personal sees nothing of it

  Scenario: The life of a tenant
    Given alice is signed in at app on her phone
    And alice is signed in at app on her laptop
    When alice ends the laptop from the phone
    And alice logs out everywhere from the phone
    And alice tries to sign in at app with a wrong password
    And the operator disables the user alice
    Then the trail of the tenant is, in order:
      | tenant_created   |
      | user_created     |
      | client_created   |
      | session_created  |
      | token_issued     |
      | session_created  |
      | token_issued     |
      | session_revoked  |
      | sessions_revoked |
      | auth_failed      |
      | user_disabled    |
    And the whole trail of the tenant is what was committed
    And the trail can be read in pages of 3, and a page token is good for its own query alone
    And 8 events of the tenant are about alice, and 4 were done by operators

  Scenario: AU-02 What was refused before anything could happen
    Given a machine client robot with the scope "read"
    When robot asks for a token with a wrong secret
    Then the answer is 401 invalid_client
    And the trail of the tenant holds client_auth_failed once, as warning because of client_authentication_failed
    When alice tries to sign in at app with a wrong password
    Then the trail of the tenant holds auth_failed once, as warning because of wrong_proof

  Scenario: A machine's token
    Given a machine client robot with the scope "read"
    And robot has a token for itself
    When robot revokes the machine's token
    Then the trail of the tenant is, in order:
      | tenant_created |
      | user_created   |
      | client_created |
      | client_created |
      | token_issued   |
      | token_revoked  |
