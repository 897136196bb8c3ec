Feature: credoctl
  What an operator does from a terminal, at three in the morning or from a script.

  Rule: an operator makes and changes what there is, and a script can read it

    Scenario: A tenant, a client and a person are made, read as JSON and changed
      Given an operator with credoctl
      And the operator has a file password with "correct-horse-battery-staple-9"
      When the operator runs "tenant create {slug} --display-name 'Acme Corp' -o json"
      Then it ends with 0
      And its JSON at /tenant/slug is "{slug}"
      When the operator runs "client create web --tenant {slug} --redirect-uri https://app.example/callback --secret-out {file:password}.secret -o json"
      Then it ends with 0
      And its JSON at /client/clientId is called client from now on
      And its JSON at /clientSecret is ""
      When the operator runs "user create alice@acme.example --tenant {slug} --email-verified --password-file {file:password} -o json"
      Then it ends with 0
      And its JSON at /user/userId is called alice from now on
      When the operator runs "user list --tenant {slug} -o json"
      Then its JSON at /users/0/userId is "{alice}"
      And its JSON at /users/0/email is "alice@acme.example"
      When the operator runs "client list --tenant {slug} -o name"
      Then it prints "{client}"
      When the operator runs "user disable alice@acme.example --tenant {slug} --yes -o json"
      Then its JSON at /user/status is "USER_STATUS_DISABLED"
      When the operator runs "client disable {client} --tenant {slug} --dry-run -o json"
      Then it ends with 0
      And it says "nothing was changed"
      When the operator runs "client get {client} --tenant {slug} -o json"
      Then its JSON at /client/status is "CLIENT_STATUS_ACTIVE"

    Scenario: What cannot be is told apart by its exit code
      Given an operator with credoctl
      When the operator runs "tenant get nowhere"
      Then it ends with 3
      And it prints nothing
      And it says "(NOT_FOUND)"
      When the operator runs "tenant create system --display-name System"
      Then it ends with 5
      And it says "(ALREADY_EXISTS)"
      When the operator runs "tenant crate {slug}"
      Then it ends with 2
      And it says "'create'"
      When the operator runs "tenant list --context nowhere"
      Then it ends with 3
      And it says "credoctl context list"

    Scenario: What ends something wants a yes
      Given a tenant
      And an operator with credoctl
      When the operator runs "tenant create {slug} --display-name Acme"
      And the operator runs "tenant suspend {slug} --reason 'a test'"
      Then it ends with 2
      And it says "suspend tenant {slug}, context test"
      When the operator runs "tenant get {slug} -o json"
      Then its JSON at /tenant/status is "TENANT_STATUS_ACTIVE"

    Scenario: The same request id makes one thing
      Given an operator with credoctl
      When the operator runs "tenant create {slug} --display-name Acme"
      Then it ends with 0
      When the operator runs "user create bob@acme.example --tenant {slug} --request-id {uuid} -o json"
      Then its JSON at /user/userId is called bob from now on
      When the operator runs "user create bob@acme.example --tenant {slug} --request-id {uuid} -o json"
      Then it ends with 0
      And its JSON at /user/userId is "{bob}"

  Rule: an operator sees whether it works, and where it does not

    Scenario: Smoke goes the whole way, to the audit rows
      Given a tenant
      And a user alice
      And a confidential client app
      And an operator with credoctl
      And the operator shall smoke-test with alice at app
      When the operator runs "smoke"
      Then it ends with 0
      And it prints "audit rows"
      And it prints "token_revoked"

    Scenario: Doctor finds nothing where all is well, and says what is wrong
      Given an operator with credoctl
      When the operator runs "doctor"
      Then it ends with 0
      And it prints "a token with audience credo-admin"
      When the operator runs "context add wrong --auth-url http://127.0.0.1:9"
      And the operator runs "doctor --context wrong"
      Then it ends with 6
      And it prints "fail"
      And it prints "does the service run"

    @serial
    Scenario Outline: Status tells what is down while <part> is down
      Given an operator with credoctl
      When <part> is killed
      Then "status" soon ends with 6 and prints "<line>"

      Examples:
        | part           | line                     |
        | auth-api       | down auth-api gRPC       |
        | outbox-relay   | down outbox-relay gRPC   |
        | audit-consumer | down audit-consumer gRPC |
        | kafka          | warn audit-consumer kafka |

    @serial
    Scenario: Smoke says which hop fails
      Given a tenant
      And a user alice
      And a confidential client app
      And an operator with credoctl
      And the operator shall smoke-test with alice at app
      When outbox-relay is killed
      And the operator runs "smoke --audit-wait 1"
      Then it ends with 6
      And it prints "refresh"
      And it says "audit rows failed"
      And it says "credoctl outbox status"
