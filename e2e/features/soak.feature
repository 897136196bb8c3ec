@serial @soak
Feature: For minutes, whatever breaks
  By `make soak` alone.

  Background:
    Given a tenant
    And a confidential client patient with 60 seconds of grace

  Scenario: AU-04 Faults in a random order beneath a crowd, and nothing is lost, doubled or left behind
    Given 40 people who sign in at patient, refresh and log out without a pause
    When faults come in a random order for as long as the soak lasts
    And they stop
    Then every answer was a right one
    And nobody was left behind
    And the trail is what was committed, no session has two branches, and every answered request has its event
