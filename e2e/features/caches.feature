Feature: What is cached decides nothing
  Who was disabled gets no token from the moment on, whatever was read a moment before.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: CA-01 A person who was just served is disabled
    Given alice is signed in at app
    When app asks for userinfo
    And app refreshes
    And the operator disables the user alice
    And app refreshes
    Then the answer is 400 invalid_grant
    And the access token of the session is refused within a second
    When alice signs in at app
    Then the answer is 400 invalid_grant
    When the operator enables the user alice
    And app refreshes
    Then the answer is 400 invalid_grant

  Scenario: CA-01 A code that is out is worth nothing once its person is disabled
    When alice signs in at app
    And the operator disables the user alice
    And the operator enables the user alice
    And app exchanges the code
    Then the answer is 400 invalid_grant

  Scenario: CA-02 A client that was just served is disabled
    Given alice is signed in at app
    When app refreshes
    And the operator disables the client app
    Then the session is dead within a second
    When alice signs in at app
    Then the answer is 401 invalid_client
    When the operator enables the client app
    Then the session is dead
    When alice signs in at app
    And app exchanges the code
    Then the session is alive

  Scenario: CA-02 A machine that was just served is disabled
    Given a machine client robot with the scope "read"
    And robot has a token for itself
    When the operator disables the client robot
    And robot asks for a token
    Then the answer is 401 invalid_client
    When the operator enables the client robot
    And robot asks for a token
    Then the answer is 200
