@serial
Feature: Helpers that misbehave
  Slow, silent, full, cut off: what was promised holds, what cannot be served is a 503 that says when to try again, and it
  is served again without a restart. The second replica is the one whose wires to Postgres and Redis can be broken.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: FI-01 Token exchange succeeds when Redis is unavailable, and the metrics show it
    Given redis is stopped
    Then auth-api counts a miss when alice first enters at app, then hits

  Scenario: Token refresh succeeds with a slow database
    Given everybody speaks to auth-api-2
    And alice is signed in at app
    When app refreshes until auth-api-2 keeps it in memory
    And the wire to postgres takes 500 ms
    And app refreshes 2 times
    Then 6 refreshes of app take between 500 and 2000 ms each, most without reading the client

  Scenario: CA-02 A client is deactivated while Redis cannot tell the other replica
    Given a machine client robot with the scope "read"
    And robot has just been served by both replicas
    And the wire to redis is down
    When the operator disables the client robot
    Then robot is refused with 401 invalid_client on both replicas within a second

  Scenario: FI-04 A statement that waits for a row longer than it may
    Given alice is signed in at app
    When app refreshes
    And somebody holds the row of the session
    Then app refreshes in vain: 503, within 5 seconds
    When nobody holds it any more
    Then the session's row and the trail say that nothing was changed since generation 1
    When app refreshes
    Then the answer is 200
    And the trail tells of generations 1 to 2 of the session, once each, and of no replay

  Scenario: FI-04 FI-14 A replica that hears nothing of Postgres
    Given everybody speaks to auth-api-2
    And a confidential client patient with 60 seconds of grace
    And alice is signed in at patient
    When patient refreshes
    And the wire to postgres is stalled
    Then patient refreshes in vain: 503, within 5 seconds
    When the wire to postgres is clear
    Then patient refreshes again within 10 seconds
    And the trail tells of generations 1 to 2 of the session, a retry again, and of no replay

  Scenario Outline: FI-04 A connection is cut in the middle of a refresh, <what> and <how often>
    Given everybody speaks to auth-api-2
    And alice is signed in at app
    When app refreshes
    And the wire to postgres loses <what> of the session <how often>
    And app refreshes
    Then the answer is 200
    When the wire to postgres is clear
    And app refreshes
    Then the answer is 200
    And the trail tells of generations 1 to 3 of the session, once each, and of no replay

    Examples:
      | what        | how often |
      | the request | once      |
      | midway      | twice     |
      | the answer  | once      |
      | the answer  | twice     |

  Scenario: FI-14 A replica that is cut off from Redis, from Postgres, from both
    Given everybody speaks to auth-api-2
    And alice is signed in at app
    When app refreshes
    And the wire to redis is down
    And app refreshes
    Then the answer is 200
    When the wire to postgres is down
    Then app refreshes in vain: 503, within 5 seconds
    When the wire to redis is clear
    Then app refreshes in vain: 503, within 5 seconds
    When the wire to postgres is clear
    Then app refreshes again within 10 seconds
    And the trail tells of generations 1 to 3 of the session, once each, and of no replay

  Scenario: FI-04 Postgres has no connection left
    Given everybody speaks to auth-api-2
    And alice is signed in at app
    When app refreshes
    And the wire to postgres is down
    And somebody holds every connection that Postgres has left
    And the wire to postgres is clear
    Then app refreshes in vain: 503, within 5 seconds
    When nobody holds them any more
    Then app refreshes again within 10 seconds
    And the trail tells of generations 1 to 2 of the session, once each, and of no replay

  Scenario: Two replicas are one server
    Then what one replica gives app for alice, the other takes
    When in 3 rounds app exchanges for alice 40 times at once across both replicas
    And in 3 rounds app refreshes for alice 40 times at once across both replicas
    Then each round has one winner, and every loser got 400 invalid_grant
    And in each round the winner's tokens for app are dead within a second
    And the whole trail of the tenant is what was committed

  Scenario Outline: FI-13 The clock of a replica is stepped by <seconds> seconds
    Given everybody speaks to auth-api-2
    And alice is signed in at app
    When the clock of auth-api-2 is stepped by <seconds> seconds, and meanwhile the session's access token is honoured
    And app refreshes
    Then the answer is 200
    And the times in the session's newest tokens are the machine's
    And everything works for alice at app
    And what one replica gives app for alice, the other takes

    Examples:
      | seconds |
      | 3600    |
      | -3600   |
      | 90      |
      | -90     |
