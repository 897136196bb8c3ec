@serial
Feature: Redis is optional
  It makes some answers faster. Without it, or with one that stands still, every answer stays right.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app

  Scenario Outline: FI-01 Redis is <state>
    When app refreshes
    And redis is <state>
    Then everything works for alice at app
    And auth-api is ready
    And the session is alive
    When the operator disables the user alice
    Then the session is dead within a second
    When redis is there again
    Then the session is dead
    When the operator enables the user alice
    Then everything works for alice at app
    And the whole trail of the tenant is what was committed

    Examples:
      | state   |
      | stopped |
      | paused  |
      | killed  |

  Scenario: FI-01 RV-10 Redis forgets everything
    When app refreshes
    And app revokes the refresh token
    And redis forgets everything
    Then the session is dead
    And everything works for alice at app

  Scenario Outline: FI-01 Redis <trouble>
    When app refreshes
    And redis <trouble>
    Then a client that nobody kept is counted as a <result>
    And everything works for alice at app
    And the session is alive
    When the operator disables the user alice
    Then the session is dead within a second
    When redis has room again
    Then the session is dead
    When the operator enables the user alice
    Then everything works for alice at app

    Examples:
      | trouble                     | result   |
      | is full                     | miss     |
      | gives no answer for a while | fallback |

  Scenario: CA-07 Redis holds what others wrote
    When app refreshes
    And redis holds what others wrote of alice at app
    Then everything works for alice at app
    When the operator disables the client app
    And redis holds what others wrote of alice at app
    Then the session is dead within a second
    When alice signs in at app
    Then the answer is 401 invalid_client

  Scenario: FI-01 What is gone is counted, and nobody waits for it
    When redis is stopped
    Then a client that nobody kept is counted as a fallback
    And everything works for alice at app
    When redis is there again
    Then a client that nobody kept is counted as a miss
    And everything works for alice at app
