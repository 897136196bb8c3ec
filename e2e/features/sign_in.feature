Feature: Signing in
  An app of the organisation signs its user in without a browser, changes the code for tokens, and lives with them.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: A person signs in and the app gets tokens that anybody can verify
    When alice signs in at app
    Then the answer is 200
    And it may not be cached
    And it has a code, the issuer and a device
    When app exchanges the code
    Then the answer is 200
    And it may not be cached
    And the tokens are for "openid profile email offline_access"
    And the ID token is signed by a key of the tenant and speaks of alice to app
    And the access token is signed by a key of the tenant and is an RFC 9068 token of alice for app
    And the session is alive

  Scenario: Whoever asks finds the issuer, its endpoints and its keys
    Then both discovery documents of the tenant are the same and name its issuer
    And they list S256, the issuer in responses, and endpoints below the base URL
    And the tenant's keys are public, named and for signatures only
    And an unknown tenant has no discovery document and no keys

  Scenario: A device is known again
    When alice signs in at app
    And alice signs in at app again on the same device
    Then both answers name the same device

  Scenario: An app that may not keep people signed in gets no ID token without openid
    Given alice is signed in at app with the scope "profile offline_access"
    Then no ID token is issued
    And the tokens are for "profile offline_access"

  Scenario: A public app does the same without a secret
    Given a public client spa
    When alice signs in at spa
    And spa exchanges the code
    Then the answer is 200
    And the ID token is signed by a key of the tenant and speaks of alice to spa
    And the session is alive

  Scenario: A wrong password and an unknown person get one answer
    When alice tries to sign in at app with a wrong password
    Then the answer is 400 invalid_grant
    When somebody unknown tries to sign in at app
    Then the answer is 400 invalid_grant
    And the last two answers are the same
    When alice signs in at app
    Then the answer is 200

  Scenario: Who is disabled gets the answer of who is unknown
    When the operator disables the user alice
    And alice signs in at app
    Then the answer is 400 invalid_grant
    When somebody unknown tries to sign in at app
    Then the last two answers are the same

  Scenario: An app of others may not ask for passwords
    Given a third-party client partner
    When alice signs in at partner
    Then the answer is 400 unauthorized_client

  Scenario: People see their sessions and end one
    Given alice is signed in at app on her phone
    When alice lists her sessions from the phone
    Then she sees the phone as the current one, and no other
    Given a public client spa
    And alice is signed in at spa on her laptop
    When alice lists her sessions from the laptop
    Then she sees the laptop as the current one, and the phone
    When alice ends the laptop from the phone
    Then the answer is 204
    And the laptop is dead
    When alice lists her sessions from the phone
    Then she sees the phone as the current one, and no other
    And the phone is alive

  Scenario: People log out everywhere else
    Given alice is signed in at app on her phone
    And alice is signed in at app on her laptop
    When alice logs out everywhere else from the phone
    Then the answer is 200
    And the laptop is dead
    And the phone is alive
    When alice signs in at app on her tablet
    And app exchanges the code of the tablet
    Then the tablet is alive

  Scenario: People log out everywhere
    Given alice is signed in at app on her phone
    And alice is signed in at app on her laptop
    When alice logs out everywhere from the phone
    Then the answer is 200
    And the laptop is dead
    And the phone is dead

  Scenario: Nobody ends the session of somebody else
    Given a user bob
    And alice is signed in at app on her phone
    And bob is signed in at app on his laptop
    When bob ends the phone from the laptop
    Then the answer is 404
    When bob ends a session that does not exist from the laptop
    Then the last two answers are the same
    When bob ends a session by a random name from the laptop
    Then the last two answers are the same
    And the phone is alive

  Scenario: A machine that is registered to post its secret gets a token so
    Given a posting machine client robot with the scope "read"
    When robot asks for a token by post
    Then the answer is 200

  Scenario: A machine gets a token for itself, and has no sessions
    Given a machine client robot with the scope "read write"
    When robot asks for a token
    Then the answer is 200
    And the machine's token is signed by a key of the tenant and speaks of robot alone
    When the machine asks for sessions
    Then the answer is a challenge 403 insufficient_scope
