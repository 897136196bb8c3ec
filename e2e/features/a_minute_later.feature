Feature: A minute later
  What is about time alone. It comes first, so that others can run meanwhile.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: CD-07 A code is older than a minute
    When alice signs in at app
    And 61 seconds have passed
    And app exchanges the code
    Then the answer is 400 invalid_grant

  Scenario: CD-02 A code is used a second time half a minute later: all that came from it dies
    Given alice is signed in at app
    When app refreshes
    And 30 seconds have passed
    And app exchanges the code again
    Then the answer is 400 invalid_grant
    And the session is dead
    And the trail of the session is, in order:
      | session_created      |
      | token_issued         |
      | token_refreshed      |
      | token_reuse_detected |
