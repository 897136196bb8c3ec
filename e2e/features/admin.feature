Feature: Administration
  Whoever changes something must be allowed to, and leaves a mark.

  Scenario: AD-01 Every method of every service asks who calls, and whether they may
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app
    And a machine client robot with the scope "read"
    And robot has a token for itself
    Then every method of the admin APIs refuses a caller without a token as UNAUTHENTICATED
    And every method of the admin APIs refuses a caller with a random token as UNAUTHENTICATED
    And every method of the admin APIs refuses a caller with a person's token as UNAUTHENTICATED
    And every method of the admin APIs refuses a caller with a machine's token as UNAUTHENTICATED
    And every method of the admin APIs refuses a caller with another permission as PERMISSION_DENIED
    And every service tells anybody that it serves

  Scenario: A tenant is made once
    Given a tenant
    When the operator makes the tenant again
    Then the call is refused as ALREADY_EXISTS
    And the trail of the tenant is, in order:
      | tenant_created |

  Scenario: A person is disabled, and nothing is revived
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app
    When the operator disables the user alice
    Then the call succeeds
    And the session is dead within a second
    When the operator disables the user alice
    Then the call succeeds
    When the operator enables the user alice
    Then the call succeeds
    And the session is dead
    And the trail tells once that the user alice was created, with status nothing before and active after
    And the trail tells once that the user alice was disabled, with status active before and disabled after
    And the trail tells once that the user alice was enabled, with status disabled before and active after
    And the whole trail of the tenant is what was committed

  Scenario: A client is disabled, and nothing is revived
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app
    When the operator disables the client app
    Then the call succeeds
    And the session is dead within a second
    When the operator enables the client app
    Then the session is dead
    And the trail tells once that the client app was created, with status nothing before and active after
    And the trail tells once that the client app was disabled, with status active before and disabled after
    And the trail tells once that the client app was enabled, with status disabled before and active after
    And the whole trail of the tenant is what was committed
