Feature: Signing in with a browser
  An app sends a person's browser here. The person signs in, says what the app may have, and the browser goes back with a code.

  Background:
    Given a tenant
    And a user alice
    And a third-party client app

  Scenario: A person signs in, allows, and the app gets tokens that anybody can verify
    When app sends alice's browser to sign in
    Then alice is asked for her password
    When alice enters a wrong password
    And alice enters her password
    Then alice is asked what app may do
    When alice allows it
    Then alice's browser is back at app with a code
    When app exchanges the code
    Then the answer is 200
    And the ID token is signed by a key of the tenant and speaks of alice to app
    And the access token is signed by a key of the tenant and is an RFC 9068 token of alice for app
    And the trail of the tenant holds browser_signed_in once, as info
    And the trail of the tenant holds consent_granted once, as info
    And the session is alive

  Scenario: Who is signed in and has allowed is not asked again
    Given alice signed in at app with her browser
    When app sends alice's browser to sign in
    Then alice's browser is back at app with a code
    When app sends alice's browser to sign in with prompt=none
    Then alice's browser is back at app with a code

  Scenario: Without a sign-in, prompt=none shows no page
    When app sends alice's browser to sign in with prompt=none
    Then alice's browser is back at app with the error login_required

  Scenario Outline: With <parameter>=<value> who is signed in is asked again
    Given alice signed in at app with her browser
    When 2 seconds have passed
    And app sends alice's browser to sign in with <parameter>=<value>
    Then alice is asked for her password
    When alice enters her password
    Then alice's browser is back at app with a code

    Examples:
      | parameter | value |
      | prompt    | login |
      | max_age   | 1     |

  Scenario: Who denies goes back without a code, and is asked again
    When app sends alice's browser to sign in
    And alice enters her password
    And alice denies it
    Then alice's browser is back at app with the error access_denied
    When app sends alice's browser to sign in
    Then alice is asked what app may do

  Scenario: A code that is used again ends what came of it
    Given alice signed in at app with her browser
    When app exchanges the code
    Then the answer is 200
    When app exchanges the code again
    Then the answer is 400 invalid_grant
    And the session is dead

  Scenario: Who signs out is signed out, and app's tokens end
    When app sends alice's browser to sign in for "openid"
    And alice enters her password
    And alice allows it
    Then alice's browser is back at app with a code
    When app exchanges the code
    And app sends alice's browser to sign out
    Then the trail of the tenant holds browser_signed_out once, as info because of logout
    And the session is dead
    When app sends alice's browser to sign in with prompt=none
    Then alice's browser is back at app with the error login_required

  @serial
  Scenario Outline: Between the steps <part> is killed
    When app sends alice's browser to sign in
    And <part> is killed
    And <part> is there again
    And alice enters her password
    Then alice is asked what app may do
    When <part> is killed
    And <part> is there again
    And alice allows it
    Then alice's browser is back at app with a code
    When app exchanges the code
    Then the session is alive

    Examples:
      | part     |
      | auth-api |
      | redis    |

  @serial
  Scenario: Without Redis a person signs in and out
    When redis is stopped
    And alice signs in at app with her browser
    And app exchanges the code
    Then the session is alive
    When redis is there again
    Then the session is alive
