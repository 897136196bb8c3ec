@serial
Feature: The way of events in an operator's hands
  Publishing can be paused and the trail can be followed, whatever is killed meanwhile: nothing is lost, doubled or reordered.

  Background:
    Given a tenant
    And a confidential client app
    And 8 people who sign in at app, refresh and log out without a pause

  Scenario: FI-08 AU-04 Publishing is paused, and the relay is killed meanwhile
    When 60 requests have been answered
    And the operator pauses publishing
    And 60 requests have been answered meanwhile
    And outbox-relay is killed
    And 30 requests have been answered meanwhile
    And outbox-relay is there again
    Then publishing is paused, and nothing leaves the outbox
    When 30 more requests have been answered
    And the operator resumes publishing
    And 30 more requests have been answered
    And they stop
    Then every answer was a right one
    And the trail is what was committed, no token had two winners, and every answered request has its event

  Scenario: AU-04 Who follows the trail misses nothing and sees nothing twice, though the consumer is killed
    Given an auditor who follows the trail of the tenant
    When 60 requests have been answered
    And audit-consumer is killed
    And 60 requests have been answered meanwhile
    And audit-consumer is there again
    And 60 more requests have been answered
    And they stop
    Then every answer was a right one
    And the trail is what was committed, no token had two winners, and every answered request has its event
    And the auditor has seen the whole trail once, in order
