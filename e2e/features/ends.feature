Feature: Ended means ended, on every replica
  Whatever an administrator ends gives no token any more from the moment on, is refused within a second where a token is already
  out, and does not come back.

  Scenario: CA-01 CA-02 TN-06 TN-07 Every way to end what was issued, on two replicas
    Then each of these ends it on both replicas, for good:
      | end                              | and then          | who may come back |
      | disable the user                 | enable the user   | nobody before     |
      | delete the user                  |                   | nobody            |
      | set a password of the user       |                   | nobody            |
      | revoke all of the user           |                   | everybody         |
      | disable the client               | enable the client | nobody before     |
      | delete the client                |                   | nobody            |
      | revoke all of the client         |                   | everybody         |
      | suspend the tenant               | resume the tenant | nobody before     |
      | delete the tenant                |                   | nobody            |
      | revoke all of the tenant         |                   | everybody         |
      | revoke the session               |                   | everybody         |

  Scenario: CA-01 CA-02 TN-06 TN-07 The same while Redis is gone
    Given redis is stopped
    Then each of these ends it on both replicas, for good:
      | end                              | and then          | who may come back |
      | disable the user                 | enable the user   | nobody before     |
      | delete the user                  |                   | nobody            |
      | set a password of the user       |                   | nobody            |
      | revoke all of the user           |                   | everybody         |
      | disable the client               | enable the client | nobody before     |
      | delete the client                |                   | nobody            |
      | revoke all of the client         |                   | everybody         |
      | suspend the tenant               | resume the tenant | nobody before     |
      | delete the tenant                |                   | nobody            |
      | revoke all of the tenant         |                   | everybody         |
      | revoke the session               |                   | everybody         |

  Scenario: CA-02 A secret that was replaced is no secret on either replica
    Then a replaced client secret is refused by both replicas at once, and one that overlaps serves until then
    Given redis is stopped
    Then a replaced client secret is refused by both replicas at once, and one that overlaps serves until then

  Scenario: TN-07 A tenant that was deleted leaves nothing behind for the next of its name
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app
    When the operator deletes the tenant
    Then the call succeeds
    And the session is dead within a second
    When the operator makes the tenant again
    Then the call is refused as ALREADY_EXISTS
    And the session is dead
