@serial
Feature: Kafka is not on the way of a sign-in
  While it is away the outbox keeps what happened. When it is there again everything arrives, in order and once.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app

  Scenario Outline: FI-07 Kafka is <state> for a while
    When kafka is <state>
    Then everything works for alice at app
    And auth-api is ready
    When app refreshes 20 times
    And app refreshes with the first refresh token
    Then the answer is 400 invalid_grant
    When alice signs in at app
    Then the answer is 200
    And the relay has something pending
    When kafka is there again
    And app exchanges the code
    Then the trail of the session is, in order:
      | session_created |
      | token_issued    |
    And the whole trail of the tenant is what was committed
    And the relay has nothing pending

    Examples:
      | state   |
      | stopped |
      | paused  |
