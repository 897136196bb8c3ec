#!/usr/bin/env bash
# Signs a person in with OpenID Connect by hand, one request after the other. It is the app and the person's browser in one,
# so it needs their password, which no real app ever sees.
#
#     sign_in.sh ISSUER CLIENT_ID [EMAIL PASSWORD]
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: sign_in.sh ISSUER CLIENT_ID [EMAIL PASSWORD]" >&2; exit 2; }
issuer=$1 client_id=$2 email=${3-} password=${4-}
[ -n "$email" ] || read -rp 'E-mail: ' email
[ -n "$password" ] || { read -rsp 'Password: ' password; echo; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The app's requests, and the browser's: with cookies, shown or kept as a page.
app() { curl -sS --fail-with-body "$@"; }
browser() { curl -sS --cookie "$folder/cookies" --cookie-jar "$folder/cookies" --output "$folder/page" "$@"; }

member() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; } # of a JSON object
parameter() { sed -n "s/.*[?&]$1=\([^&]*\).*/\1/p"; }           # of a URL
attribute() { sed -n "s/.*[[:space:]]$1=\"\([^\"]*\)\".*/\1/p" | sed 's/&amp;/\&/g'; }
random() { head -c 32 /dev/urandom | base64url; }
base64url() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
payload() { cut -d. -f2 | tr -- '-_' '+/' | awk '{ while (length($0) % 4) $0 = $0 "="; print }' | base64 -d; }
# The page's elements, one a line.
elements() { tr '\n' ' ' < "$folder/page" | sed 's/</\n</g'; }
# Those of a button's form, up to the button.
form_of() {
    elements | awk -v id=" id=\"$1\"" '/^<form/ { form = "" } { form = form $0 "\n" } index($0, id) { printf "%s", form; exit }'
}

# Presses a button, having filled in what is given; hidden fields go along. Prints where that leads, if it leads away.
press() {
    local form action fields=() line
    form=$(form_of "$1")
    shift
    action=$(attribute action <<< "$form" | head -n 1)
    while read -r line; do
        fields+=(--data-urlencode "$(attribute name <<< "$line")=$(attribute value <<< "$line")")
    done < <(grep '^<input[^>]*type="hidden"' <<< "$form")
    case $action in
    /*) action=$base$action ;;
    http*) ;;
    *) echo "this page has no such button:" >&2; cat "$folder/page" >&2; exit 1 ;;
    esac
    browser --write-out '%{redirect_url}' -H "Origin: $base" "${fields[@]}" "$@" "$action"
}

# Discovery.
metadata=$(app "$issuer/.well-known/openid-configuration")
[ "$(member issuer <<< "$metadata")" = "$issuer" ] || { echo "this is not $issuer" >&2; exit 1; }
authorization_endpoint=$(member authorization_endpoint <<< "$metadata")
token_endpoint=$(member token_endpoint <<< "$metadata")
base=$(sed 's|^\([a-z]*://[^/]*\).*|\1|' <<< "$authorization_endpoint")

# The app sends the browser to sign in. Any port: here the browser is not really led back to it.
redirect_uri=http://127.0.0.1:50000/callback
state=$(random) nonce=$(random) verifier=$(random)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64url)
at=$(browser --write-out '%{redirect_url}' --get "$authorization_endpoint" \
    -d response_type=code -d "client_id=$client_id" --data-urlencode "redirect_uri=$redirect_uri" \
    --data-urlencode "scope=openid profile email" -d "state=$state" -d "nonce=$nonce" \
    -d "code_challenge=$challenge" -d code_challenge_method=S256)

# The person signs in and allows what the app asks for, each on its own page.
for _ in 1 2 3 4 5 6 7 8; do
    case $at in
    "$redirect_uri"*) break ;;
    "") if [ -n "$(form_of consent-allow)" ]; then
            at=$(press consent-allow -d decision=allow)
        else
            at=$(press sign-in --data-urlencode "email=$email" --data-urlencode "password=$password")
        fi ;;
    *) at=$(browser --write-out '%{redirect_url}' "$at") ;;
    esac
done
[ "$(parameter state <<< "$at")" = "$state" ] || { echo "no answer came back, the last page was:" >&2; cat "$folder/page" >&2; exit 1; }
code=$(parameter code <<< "$at")
[ -n "$code" ] || { echo "refused: $at" >&2; exit 1; }

# The code for tokens.
tokens=$(app "$token_endpoint" -d grant_type=authorization_code -d "client_id=$client_id" -d "code=$code" \
    --data-urlencode "redirect_uri=$redirect_uri" -d "code_verifier=$verifier")
id_token=$(member id_token <<< "$tokens")

# The ID token came from the token endpoint itself, so its signature need not be checked (OpenID Connect Core 3.1.3.7, 6).
# What it says must be.
claims=$(payload <<< "$id_token")
for expected in "iss=$issuer" "aud=$client_id" "nonce=$nonce"; do
    [ "$(member "${expected%%=*}" <<< "$claims")" = "${expected#*=}" ] || { echo "wrong ID token: $claims" >&2; exit 1; }
done
[ "$(member exp <<< "$claims")" -gt "$(date +%s)" ] || { echo "old ID token: $claims" >&2; exit 1; }
echo "Signed in: $(member sub <<< "$claims")"

userinfo=$(app "$(member userinfo_endpoint <<< "$metadata")" -H "Authorization: Bearer $(member access_token <<< "$tokens")")
echo "Userinfo: $(member name <<< "$userinfo") <$(member email <<< "$userinfo")>"

tokens=$(app "$token_endpoint" -d grant_type=refresh_token -d "client_id=$client_id" \
    -d "refresh_token=$(member refresh_token <<< "$tokens")")
echo "Refreshed: a new access token for $(member expires_in <<< "$tokens") seconds"

# The browser signs out. Asked without proof of who asks, the server would first ask the person.
browser --get "$(member end_session_endpoint <<< "$metadata")" --location -d "id_token_hint=$id_token"
refused=$(curl -sS "$token_endpoint" -d grant_type=refresh_token -d "client_id=$client_id" \
    -d "refresh_token=$(member refresh_token <<< "$tokens")")
[ "$(member error <<< "$refused")" = invalid_grant ] || { echo "still signed in: $refused" >&2; exit 1; }
echo "Signed out: the refresh token is refused"
