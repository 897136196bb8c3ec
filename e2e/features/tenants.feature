Feature: Tenants are walls
  What belongs to one organisation does not exist for another.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app
    And another tenant
    And a user carol of the other tenant
    And a confidential client shop of the other tenant

  Scenario: TN-01 Tokens and codes of the one are noise to the other
    Given alice is signed in at app
    Then to shop every token of the session is as unknown as a random one
    And the session is alive

  Scenario: TN-01 People, clients and sessions of the one do not exist for the other
    Given alice is signed in at app on her phone
    And carol is signed in at shop on her laptop
    Then at shop alice is as unknown as anybody
    And app with the secret of shop is as unknown as any client
    And from the laptop the phone is as unknown as any session
    And the phone is alive
    And the laptop is alive

  Scenario: TN-02 One e-mail address in two tenants is two people
    Given alice lives in the other tenant too, with another password
    When alice signs in at app
    Then the answer is 200
    When alice signs in at shop
    Then the answer is 400 invalid_grant

  Scenario: TN-05 An administrator of the one cannot see or touch the other
    Given a machine client steward with the scope "credo.tenant.read credo.user.read credo.user.write credo.client.read credo.client.write credo.audit.read" of the other tenant
    When steward disables the user alice
    Then the call is refused as NOT_FOUND
    When steward disables the client app
    Then the call is refused as NOT_FOUND
    When steward reads the user alice
    Then the call is refused as NOT_FOUND
    When steward reads the client app
    Then the call is refused as NOT_FOUND
    When steward reads the tenant of alice
    Then the call is refused as NOT_FOUND
    When steward reads the trail of alice
    Then the call is refused as NOT_FOUND
    When steward looks up alice by e-mail in its own tenant
    Then the call is refused as NOT_FOUND
    When steward makes a tenant
    Then the call is refused as PERMISSION_DENIED
    Given alice is signed in at app
    Then the session is alive

  Scenario: TN-05 An administrator of the other tenant serves it well
    Given a machine client steward with the scope "credo.tenant.read credo.user.read credo.user.write credo.client.read credo.client.write credo.audit.read" of the other tenant
    When steward reads the user carol
    Then the call succeeds
    When steward reads the client shop
    Then the call succeeds
    When steward reads the tenant of carol
    Then the call succeeds
    When steward reads the trail of carol
    Then the call succeeds
    When steward looks up carol by e-mail in its own tenant
    Then the call succeeds
    When steward disables the user carol
    Then the call succeeds
    When carol signs in at shop
    Then the answer is 400 invalid_grant
