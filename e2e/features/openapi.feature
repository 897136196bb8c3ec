Feature: The OpenAPI document
  It is true: whatever is sent to an operation, the answer is one that the document names, and none is a server error.

  Scenario: IV-09 A fuzzer calls every operation
    Given a tenant
    And a user alice
    And a user bob
    And a confidential client app
    And alice is signed in at app on her laptop
    And bob is signed in at app on his phone
    Then a fuzzer with app's secret and the tokens of the laptop and the phone finds no fault
