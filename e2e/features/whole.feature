@last
Feature: The whole trail
  After everything that the other features did to the system.

  Scenario: Everything that was ever committed is there, once, in order, and nothing else
    Then the audit store holds what was ever committed, each event once and in order, and no other
    And the topic holds each of them under one number, in contiguous and chained shards
