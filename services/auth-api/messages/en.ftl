## Every page

title = { $what } · { $tenant }
title-failed = Error: { $what } · { $tenant }
languages = Language
summary = There is a problem
reference = Reference for support:
back-to-app = Back to { $client }
email = E-mail address
password = Password
instant =
    { $day } { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    } { $year }, { $time } UTC
too-many-attempts = Too many attempts. { $wait }
wait-minutes = Try again in { $minutes } minutes.
wait-seconds =
    { $seconds ->
        [one] Try again in one second.
       *[other] Try again in { $seconds } seconds.
    }

## Sign in

sign-in-heading = Sign in
sign-in-to-client = to continue to { $client }
sign-in-to-account = to your account at { $tenant }
sign-in-again = Please confirm that it is you.
sign-in-choose = Choose the account to continue with.
sign-in-ended = You have been signed out. Please sign in again.
sign-in-continue = Continue
sign-in-or = or use another account
sign-in = Sign in
sign-in-no-email = Enter your e-mail address
sign-in-no-password = Enter your password
sign-in-wrong = E-mail address or password is wrong

## Consent

consent-title = Access for { $client }
consent-heading = { $client } asks for access
consent-as = You are signed in as
consent-switch = Use another account
consent-new = { $client } wants to
consent-known = You have already allowed it to
consent-next-site = You go on to { $host }.
consent-next-device = You go on to { $client } on this device.
consent-undo = You can take this back at any time:
consent-undo-link = your account
consent-allow = Allow
consent-deny = Deny

scope-openid = Know who you are when you sign in
scope-profile = See your name and the details of your profile
scope-email = See your e-mail address
scope-phone = See your phone number
scope-address = See your postal address
scope-offline-access = Keep this access while you are not there, until you take it back
scope-credo-sessions = See where you are signed in, and sign you out there
scope-unknown = Use the permission

## Sign out

logout-heading = Sign out?
logout-client-asks = { $client } asks to sign you out of { $tenant }.
logout-asks = You are about to sign out of { $tenant }.
logout-means = Apps that you signed in to from this browser lose their access too, unless you allowed them to keep it.
logout = Sign out
logout-stay = Stay signed in
signed-out-heading = You are signed out
signed-out-means = Close the browser if others use this device too.
signed-out-again = Sign in again

## To the app by form

form-post-heading = Back to { $client }
form-post-means = One moment. If nothing happens, press the button.
form-post-send = Continue

## Account

account-heading = Your account
account-sessions = Where you are signed in
account-sessions-hint = End what you do not recognise, then change your password.
account-this-browser = This browser
account-signed-in = Signed in on
account-last-used = Last used on
account-end-session = Sign out
account-end-session-of = Sign out { $device }, signed in on { $since }
account-session-ended = Signed out there.
account-apps = Apps with access
account-apps-hint = What you allowed. Without access an app asks you again.
account-no-apps = You have given no app access.
account-app-since = Since
account-app-until = Until
account-app-has-none = No access
account-revoke-app = Remove access
account-revoke-app-named = Remove the access of { $client }
account-app-revoked = The app has no access any more.
account-forget-app = Forget
account-forget-app-named = Forget { $client }
account-app-forgotten = The app is forgotten.
account-password-changed = Your password is changed. You are signed out everywhere else.
device-both = { $browser } on { $system }
device-unknown = Unknown device
password-heading = Password
password-hint = When you change it, you are signed out everywhere else.
password-current = Current password
password-new = New password
password-change = Change password
password-no-current = Enter your current password
password-wrong-current = The current password is wrong
password-no-new = Enter a new password
password-too-short = The new password must have at least { $minimum } characters
password-too-long = The new password is too long
password-common = The new password is one that is often tried first; choose another
password-guessable = The new password is little more than your address or a name; choose another

## Errors: what happened, what it means, what to do

error-unknown-client = We do not know this app
error-unknown-client-meaning = The link that brought you here names an app that is not registered here, or not any more.
error-bad-redirect-uri = This app cannot be trusted with an answer
error-bad-redirect-uri-meaning = The link that brought you here would send you on to an address that the app has not registered.
error-bad-request = We cannot read this request
error-bad-request-meaning = The link that brought you here is incomplete or wrong.
error-tell-app = Go back to the app and try again. If it happens again, tell those who run the app, with the reference below.
error-expired = This page has expired
error-expired-meaning = It was open for too long, or its address was changed on the way.
error-forbidden = This form cannot be used
error-forbidden-meaning = It is out of date or came from another site. Nothing was changed.
error-start-again = Go back to the app and start again.
error-too-many = Too many attempts
error-too-many-meaning = To keep accounts safe, we make everyone wait after many attempts.
error-no-cookies = Your browser keeps no cookies
error-no-cookies-meaning = Without cookies we cannot keep you signed in.
error-no-cookies-do = Allow cookies for this site, then go back to the app and start again.
error-not-found = There is no such page
error-not-found-meaning = The address is wrong, or the page is gone.
error-not-found-do = Check the address, or go back to the app that you came from.
error-which-account = Which account do you mean?
error-which-account-meaning = You are signed in nowhere in this browser, or in more than one place.
error-which-account-do = Open your account from the app that you use, then change your password there.
error-internal = Something went wrong
error-internal-meaning = The fault is ours, not yours.
error-unavailable = We cannot answer right now
error-unavailable-meaning = There is more to do than we can handle, or a part of the system is down.
error-again = Wait a moment and try again.
