Feature: Client authentication at the token endpoint
  A client proves who it is by its one registered method, in one way, and never in an address.

  Background:
    Given a tenant
    And a machine client robot with the scope "read write"

  Scenario Outline: TK-01 The token endpoint is no place for <method>
    When the token endpoint is called with <method>
    Then the answer is 405
    And its allow header is "POST"

    Examples:
      | method |
      | GET    |
      | HEAD   |
      | PUT    |
      | DELETE |

  Scenario Outline: TK-02 "<type>" is no form
    When robot asks for a token as "<type>"
    Then the answer is 400 invalid_request

    Examples:
      | type                                              |
      | application/json                                  |
      | text/plain                                        |
      | multipart/form-data; boundary=x                   |
      | application/x-www-form-urlencoded; charset=utf-16 |
      |                                                   |

  Scenario: TK-02 A form may say that it is UTF-8
    When robot asks for a token as "application/x-www-form-urlencoded; charset=UTF-8"
    Then the answer is 200

  Scenario: TK-03 A secret in the query is not read
    When robot asks for a token with its secret in the query
    Then the answer is 400 invalid_request

  Scenario: TK-03 A refresh token in the query is not read
    Given a user alice
    And a confidential client app
    And alice is signed in at app
    When app refreshes with the token in the query
    Then the answer is 400 invalid_request
    When userinfo is asked with the token in the query
    Then the answer is a challenge 400 invalid_request
    And the session is alive

  Scenario Outline: TK-04 With <what> no way of the two is picked
    When robot asks for a token with <what>
    Then the answer is 400 invalid_request

    Examples:
      | what                          |
      | its secret in header and body |
      | another client_id in the body |
      | two Authorization headers     |

  Scenario Outline: TK-05 TK-06 <client> is not registered for <method>
    Given a posting client poster
    And a public client spa
    When <client> asks for a token by <method>
    Then the answer is 401 invalid_client

    Examples:
      | client | method  |
      | robot  | post    |
      | robot  | nothing |
      | poster | basic   |
      | poster | nothing |
      | spa    | basic   |
      | spa    | post    |

  Scenario: TK-07 Both halves of Basic are form-encoded
    When robot asks for a token with its secret percent-encoded
    Then the answer is 200

  Scenario Outline: TK-07 TK-08 Basic with <what> proves nothing
    When robot asks for a token with <what>
    Then the answer is 401 invalid_client
    And the answer challenges the client to use Basic

    Examples:
      | what                              |
      | its secret and a plus at the end  |
      | its secret and a broken percent sign |
      | its secret and a colon at the end |
      | bytes that are no UTF-8           |
      | credentials that are no base64    |

  Scenario: TK-08 An unknown client and a wrong secret get one answer
    When robot asks for a token with a wrong secret
    Then the answer is 401 invalid_client
    And the answer challenges the client to use Basic
    When robot asks for a token with a client_id that nobody has
    Then the last two answers are the same
    When robot asks for a token with a client_id that is none
    Then the last two answers are the same

  Scenario Outline: TK-18 A refusal because of <what> says what RFC 6749 lets it say
    When robot asks for a token with <what>
    Then the answer is <status> <error>
    And it may not be cached

    Examples:
      | what                         | status | error                  |
      | a grant_type that is unknown | 400    | unsupported_grant_type |
      | no grant_type                | 400    | invalid_request        |
      | grant_type twice             | 400    | invalid_request        |
      | a NUL in the scope           | 400    | invalid_request        |
      | an empty body                | 400    | invalid_request        |
      | a wrong secret               | 401    | invalid_client         |

  Scenario: TK-18 A body beyond all measure is not read
    When robot asks for a token with a body of a megabyte
    Then the answer is 413 or 400

  Scenario: TK-19 A public client gets no token for itself
    Given a public client spa
    When spa asks for a token
    Then the answer is 400 unauthorized_client

  Scenario Outline: TK-19 No machine gets a token for "<scope>"
    When robot asks for a token for "<scope>"
    Then the answer is 400 invalid_scope

    Examples:
      | scope               |
      | openid              |
      | read offline_access |
      | admin               |
      | credo.tenant.read   |

  Scenario: TK-19 A machine gets what it asks for, and nothing that lasts
    When robot asks for a token for "read"
    Then the answer is 200
    And it has no member "refresh_token"
    And it has no member "id_token"
