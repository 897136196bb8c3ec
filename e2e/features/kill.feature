@serial
Feature: Nothing is lost, doubled or reordered
  Any part may be killed at any moment, in the middle of a load. Afterwards everything that was committed is in the trail,
  once and in order, and nothing else; who was answered finds the event of it.

  Background:
    Given a tenant
    And a confidential client app
    And 8 people who sign in at app, refresh and log out without a pause

  Scenario Outline: FI-05 FI-08 AU-04 kill -9 of <part>
    When 60 requests have been answered
    And <part> is killed
    And <meanwhile> requests have been answered meanwhile
    And <part> is there again
    And 60 more requests have been answered
    And they stop
    Then every answer was a right one
    And the trail is what was committed, no token had two winners, and every answered request has its event

    Examples:
      | part           | meanwhile |
      | auth-api       | 0         |
      | outbox-relay   | 60        |
      | audit-consumer | 60        |
      | kafka          | 60        |
      | postgres       | 0         |
      | redis          | 60        |

  Scenario Outline: FI-09 AU-04 <part> stands still for a while
    When 30 requests have been answered
    And <part> is paused
    And 60 requests have been answered meanwhile
    And <part> is there again
    And 30 more requests have been answered
    And they stop
    Then every answer was a right one
    And the trail is what was committed, no token had two winners, and every answered request has its event

    Examples:
      | part           |
      | outbox-relay   |
      | audit-consumer |
