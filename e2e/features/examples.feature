Feature: Standard libraries
  Whoever writes a client takes the library of their language as it is. The programs of `examples/` are run as their pages say,
  by a person with a browser that has no script.

  Background:
    Given a tenant
    And a user alice
    And a native client desktop

  Scenario Outline: <library> signs a person in, refreshes and signs out
    When alice runs the example <library> as desktop
    And alice signs in where it says, and allows it
    Then it tells who alice is, and refreshes
    When alice signs out where it says
    Then its refresh token is refused

    Examples:
      | library       |
      | openidconnect |
      | openid-client |
      | authlib       |

  Scenario: curl signs a person in, refreshes and signs out, one request after the other
    When alice runs the example curl as desktop with her password
    Then it tells who alice is, and refreshes
    And its refresh token is refused
