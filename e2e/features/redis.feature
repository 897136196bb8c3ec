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
