@serial
Feature: Races
  Of many that want one thing at one time one gets it; and since the others showed that copies are about, what it got is
  dead. An end is an end, whatever else happens at that moment.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: CD-03 Fifty exchanges of one code
    When in 3 rounds app exchanges a fresh code of alice 50 times at once
    Then each round has one winner, and every loser got 400 invalid_grant
    And in each round the winner's tokens for app are dead
    And the whole trail of the tenant is what was committed

  Scenario: RT-03 Fifty refreshes with one token
    When in 3 rounds app refreshes a fresh session of alice 50 times at once
    Then each round has one winner, and every loser got 400 invalid_grant
    And in each round the winner's tokens for app are dead
    And the whole trail of the tenant is what was committed

  Scenario: RT-03 Fifty refreshes of a public client with one token
    Given a public client spa
    When in 2 rounds spa refreshes a fresh session of alice 50 times at once
    Then each round has one winner, and every loser got 400 invalid_grant
    And in each round the winner's tokens for spa are dead

  Scenario: CC-01 Refreshes while their person is disabled
    Then no refresh of alice at app that begins after the disabling succeeds
    And the whole trail of the tenant is what was committed

  Scenario: CC-02 Exchanges while their person logs out elsewhere
    Given alice is signed in at app on her laptop
    Then in 12 rounds no token of alice at app outlives a log-out from the laptop at the same time

  Scenario: CC-05 Clients that hang up
    Given a machine client robot with the scope "read"
    Then in 24 rounds app hangs up on the exchange of a code of alice, and each code was used wholly or not at all
    And robot can still ask for 64 tokens at once
