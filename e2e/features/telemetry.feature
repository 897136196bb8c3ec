Feature: What the system tells of itself
  An operator sees what happens, across three processes, and never sees a secret.

  Background:
    Given a tenant
    And a user alice
    And a confidential client app

  Scenario: One trace leads from a token request to its row in the audit store
    Given alice is signed in at app
    When app refreshes
    Then the event token_refreshed names one trace from the request to the store

  Scenario: A stranger's traceparent neither joins nor forces a trace
    When app asks for a token in the trace of a stranger
    Then no span is in the trace of the stranger

  Scenario: What is logged can be changed for a while, in every service
    When the operator sets the log filter of every service to "info,auth_api=debug" for 2 seconds
    Then every service logs by it, and by its configuration again a little later
    And no service takes the log filter "trace,h2=trace"
    And no service takes the log filter "info" for 7200 seconds

  Scenario: TN-09 Every metric is documented, and every documented one is there
    Then what every service shows is what docs/metrics.md says

  @serial
  Scenario: HD-07 KR-05 No secret is in a log, a trace, a metric, a record or a foreign column
    Given every service logs all that it can
    When secrets go through every flow, and to places where they do not belong
    Then each place is really looked at
    And none of the secrets is anywhere
