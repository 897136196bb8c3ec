@serial
Feature: A crowd in the middle of a fault
  Dozens of requests are under way when a part dies. What was answered is in the trail, what was not may be asked again, and
  whose client has grace is never sent back to sign in.

  Background:
    Given a tenant
    And a user alice
    And a confidential client patient with 60 seconds of grace

  Scenario Outline: FI-05 RT-06 AU-04 kill -9 of <part> beneath a crowd
    Given 40 people who sign in at patient, refresh and log out without a pause
    When 200 requests have been answered
    And <part> is killed
    And <part> is there again, and 100 requests are answered within 10 seconds
    And <part> is killed
    And <part> is there again, and 100 requests are answered within 10 seconds
    And they stop
    Then every answer was a right one
    And nobody was left behind
    And the trail is what was committed, no session has two branches, and every answered request has its event

    Examples:
      | part     |
      | auth-api |
      | postgres |

  Scenario Outline: FI-04 RT-06 AU-04 Postgres is <weather> for seconds beneath a crowd
    Given everybody speaks to auth-api-2
    And alice is signed in at patient
    And 40 people who sign in at patient, refresh and log out without a pause
    When 200 requests have been answered
    And the wire to postgres is <weather>
    Then patient refreshes in vain: 503, within 5 seconds
    And patient refreshes in vain: 503, within 5 seconds
    When the wire to postgres is clear
    Then patient refreshes again within 10 seconds
    When 100 requests have been answered
    And they stop
    Then every answer was a right one
    And nobody was left behind
    And the trail is what was committed, no session has two branches, and every answered request has its event

    Examples:
      | weather |
      | down    |
      | stalled |

  Scenario: FI-19 A storm of clients that try again without a pause through an outage and after it
    Given everybody speaks to auth-api-2
    And a machine client robot with the scope "read"
    And alice is signed in at patient
    When the wire to postgres is down
    And 300 copies of robot ask for a token without a pause
    And the flood has been answered 3000 times
    Then patient refreshes in vain: 503, within 5 seconds
    When the wire to postgres is clear
    Then patient refreshes again within 10 seconds
    When the flood has been answered 1000 times more
    And patient refreshes
    Then the answer is 200
    And the flood ends, and was told also 503 and 200
    And everything works for alice at patient
    And auth-api-2 is ready
    And the whole trail of the tenant is what was committed

  Scenario: A flood of forged tokens, and nobody else is refused or taken for another
    Given alice is signed in at patient
    And 4 people who sign in at patient, refresh and log out without a pause
    When 100 requests have been answered
    And patient refreshes
    And a flood of 8 who show forged tokens of patient everywhere
    And the flood has been answered 1000 times
    And meanwhile patient refreshes 40 times, and each access token is honoured by userinfo and introspection
    And the flood has been answered 5000 times more
    And meanwhile patient refreshes 40 times, and each access token is honoured by userinfo and introspection
    And they stop
    Then every answer was a right one
    And the flood ends, and was told only 200 and 401
    And auth-api is ready
    And the trail is what was committed, no session has two branches, and every answered request has its event
