Feature: Access tokens
  A token says by itself what it is. What somebody else made or changed is refused, without a stumble.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app
    And alice is signed in at app

  Scenario: AT-01 It has everything that RFC 9068 wants
    Then the access token is signed by a key of the tenant and is an RFC 9068 token of alice for app

  Scenario: AT-02 An ID token is no access token, nor the reverse
    When userinfo is asked with the ID token
    Then the answer is a challenge 401 invalid_token
    And a resource server tells the two tokens apart by their type

  Scenario Outline: AT-05 AT-06 A stranger signs it <how>
    When a stranger signs her token again <how>
    Then the answer is a challenge 401 invalid_token
    And the session is alive

    Examples:
      | how                              |
      | under the same kid               |
      | without a kid                    |
      | under an unknown kid             |
      | under a kid that is a path       |
      | under a kid that is SQL          |
      | under a kid of ten thousand letters |
      | under a kid that is a number     |
      | with the key in the header       |
      | with an unknown critical header  |
      | as HS256                         |

  Scenario: AT-05 Somebody removes the signature
    When a stranger removes the signature of her token
    Then the answer is a challenge 401 invalid_token

  Scenario Outline: AT-06 The server never follows <member>
    Then no key is ever fetched from where a header <member> points

    Examples:
      | member |
      | jku    |
      | x5u    |

  Scenario Outline: AT-08 Claims: <what>
    Then claims that are <what> are refused, and the server goes on

    Examples:
      | what                      |
      | there twice               |
      | a number as audience      |
      | a text as time            |
      | a time beyond all numbers |
      | nested ten thousand deep  |
      | texts with NUL            |
      | no object                 |
      | no JSON                   |
      | empty                     |
