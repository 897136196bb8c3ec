Feature: Authorization codes
  A code is good once, for a minute, and for its own client with everything that it is bound to.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: CD-01 A code is used a second time at once
    When alice signs in at app
    And app exchanges the code
    Then the answer is 200
    When app exchanges the code again
    Then the answer is 400 invalid_grant
    And the session is dead

  Scenario Outline: CD-04 CD-05 In the hands of another <kind> client a code is refused, and stays good for its own
    Given a <kind> client thief
    When alice signs in at app
    And thief exchanges the code
    Then the answer is 400 invalid_grant
    When app exchanges the code
    Then the answer is 200
    And the session is alive
    And the trail of the session is, in order:
      | session_created    |
      | token_wrong_client |
      | token_issued       |
      | token_refreshed    |
    And the trail of the tenant holds token_wrong_client once, as critical because of wrong_client

    Examples:
      | kind         |
      | confidential |
      | posting      |
      | public       |

  Scenario Outline: CD-05 CD-06 With <what> a code is refused, and stays good
    When alice signs in at app
    And app exchanges the code with <what>
    Then the answer is 400 invalid_grant
    When app exchanges the code
    Then the answer is 200

    Examples:
      | what                  |
      | another redirect_uri  |
      | another code_verifier |
      | a damaged code        |

  Scenario Outline: CD-05 CD-06 Without <what> a code is refused, and stays good
    When alice signs in at app
    And app exchanges the code without <what>
    Then the answer is 400 invalid_grant
    When app exchanges the code
    Then the answer is 200

    Examples:
      | what          |
      | redirect_uri  |
      | code_verifier |

  Scenario: CD-10 Its person has logged out everywhere before the exchange
    Given a public client spa
    And alice is signed in at spa on her laptop
    When alice signs in at app
    And alice logs out everywhere else from the laptop
    And app exchanges the code
    Then the answer is 400 invalid_grant
    And the laptop is alive

  Scenario: CD-12 A dump of the database holds nothing that could be used
    Given alice is signed in at app
    Then the database holds neither the code nor any token of the session
