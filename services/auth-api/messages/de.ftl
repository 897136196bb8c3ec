## Jede Seite

title = { $what } · { $tenant }
title-failed = Fehler: { $what } · { $tenant }
languages = Sprache
summary = Es gibt ein Problem
reference = Kennung für den Support:
back-to-app = Zurück zu { $client }
email = E-Mail-Adresse
password = Passwort
instant =
    { $day }. { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    } { $year }, { $time } Uhr (UTC)
too-many-attempts = Zu viele Versuche. { $wait }
wait-minutes = Versuchen Sie es in { $minutes } Minuten wieder.
wait-seconds =
    { $seconds ->
        [one] Versuchen Sie es in einer Sekunde wieder.
       *[other] Versuchen Sie es in { $seconds } Sekunden wieder.
    }

## Anmelden

sign-in-heading = Anmelden
sign-in-to-client = um mit { $client } fortzufahren
sign-in-to-account = bei Ihrem Konto bei { $tenant }
sign-in-again = Bitte bestätigen Sie, dass Sie es sind.
sign-in-choose = Wählen Sie das Konto, mit dem Sie fortfahren.
sign-in-ended = Sie wurden abgemeldet. Bitte melden Sie sich wieder an.
sign-in-continue = Fortfahren
sign-in-or = oder mit einem anderen Konto
sign-in = Anmelden
sign-in-no-email = Geben Sie Ihre E-Mail-Adresse ein
sign-in-no-password = Geben Sie Ihr Passwort ein
sign-in-wrong = E-Mail-Adresse oder Passwort ist falsch

## Zustimmung

consent-title = Zugriff für { $client }
consent-heading = { $client } bittet um Zugriff
consent-as = Sie sind angemeldet als
consent-switch = Anderes Konto verwenden
consent-new = { $client } möchte
consent-known = Das haben Sie schon erlaubt
consent-next-site = Weiter geht es bei { $host }.
consent-next-device = Weiter geht es mit { $client } auf diesem Gerät.
consent-undo = Sie können das jederzeit zurücknehmen:
consent-undo-link = Ihr Konto
consent-allow = Erlauben
consent-deny = Ablehnen

scope-openid = wissen, wer Sie sind, wenn Sie sich anmelden
scope-profile = Ihren Namen und die Angaben Ihres Profils sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-phone = Ihre Telefonnummer sehen
scope-address = Ihre Postanschrift sehen
scope-offline-access = diesen Zugriff auch behalten, wenn Sie nicht da sind, bis Sie ihn zurücknehmen
scope-credo-sessions = sehen, wo Sie angemeldet sind, und Sie dort abmelden
scope-unknown = diese Berechtigung nutzen:

## Abmelden

logout-heading = Abmelden?
logout-client-asks = { $client } bittet darum, Sie bei { $tenant } abzumelden.
logout-asks = Sie sind dabei, sich bei { $tenant } abzumelden.
logout-means = Auch Apps, bei denen Sie sich mit diesem Browser angemeldet haben, verlieren ihren Zugriff, es sei denn, Sie haben ihn ihnen dauerhaft erlaubt.
logout = Abmelden
logout-stay = Angemeldet bleiben
signed-out-heading = Sie sind abgemeldet
signed-out-means = Schließen Sie den Browser, wenn auch andere dieses Gerät benutzen.
signed-out-again = Wieder anmelden

## Per Formular zur App

form-post-heading = Zurück zu { $client }
form-post-means = Einen Moment. Wenn nichts geschieht, drücken Sie den Knopf.
form-post-send = Weiter

## Konto

account-heading = Ihr Konto
account-sessions = Wo Sie angemeldet sind
account-sessions-hint = Beenden Sie, was Sie nicht kennen, und ändern Sie dann Ihr Passwort.
account-this-browser = Dieser Browser
account-signed-in = Angemeldet am
account-last-used = Zuletzt benutzt am
account-end-session = Abmelden
account-end-session-of = { $device } abmelden, angemeldet am { $since }
account-session-ended = Dort abgemeldet.
account-apps = Apps mit Zugriff
account-apps-hint = Was Sie erlaubt haben. Ohne Zugriff fragt eine App Sie wieder.
account-no-apps = Sie haben keiner App Zugriff gegeben.
account-app-since = Seit
account-app-until = Bis
account-app-has-none = Kein Zugriff
account-revoke-app = Zugriff entziehen
account-revoke-app-named = { $client } den Zugriff entziehen
account-app-revoked = Die App hat keinen Zugriff mehr.
account-forget-app = Vergessen
account-forget-app-named = { $client } vergessen
account-app-forgotten = Die App ist vergessen.
account-password-changed = Ihr Passwort ist geändert. Überall sonst sind Sie abgemeldet.
device-both = { $browser } auf { $system }
device-unknown = Unbekanntes Gerät
password-heading = Passwort
password-hint = Wenn Sie es ändern, werden Sie überall sonst abgemeldet.
password-current = Jetziges Passwort
password-new = Neues Passwort
password-change = Passwort ändern
password-no-current = Geben Sie Ihr jetziges Passwort ein
password-wrong-current = Das jetzige Passwort ist falsch
password-no-new = Geben Sie ein neues Passwort ein
password-too-short = Das neue Passwort muss mindestens { $minimum } Zeichen haben
password-too-long = Das neue Passwort ist zu lang
password-common = Das neue Passwort wird oft als erstes probiert; wählen Sie ein anderes
password-guessable = Das neue Passwort ist kaum mehr als Ihre Adresse oder ein Name; wählen Sie ein anderes

## Fehler: was geschehen ist, was es bedeutet, was zu tun ist

error-unknown-client = Wir kennen diese App nicht
error-unknown-client-meaning = Der Link, der Sie hierher gebracht hat, nennt eine App, die hier nicht oder nicht mehr angemeldet ist.
error-bad-redirect-uri = Dieser App kann nicht geantwortet werden
error-bad-redirect-uri-meaning = Der Link, der Sie hierher gebracht hat, würde Sie zu einer Adresse schicken, die die App nicht angemeldet hat.
error-bad-request = Wir können diese Anfrage nicht lesen
error-bad-request-meaning = Der Link, der Sie hierher gebracht hat, ist unvollständig oder falsch.
error-tell-app = Gehen Sie zurück zur App und versuchen Sie es noch einmal. Wenn es wieder geschieht, sagen Sie es denen, die die App betreiben, mit der Kennung unten.
error-expired = Diese Seite ist abgelaufen
error-expired-meaning = Sie war zu lange offen, oder ihre Adresse wurde unterwegs verändert.
error-forbidden = Dieses Formular kann nicht verwendet werden
error-forbidden-meaning = Es ist veraltet oder kam von einer anderen Seite. Nichts wurde geändert.
error-start-again = Gehen Sie zurück zur App und fangen Sie noch einmal an.
error-too-many = Zu viele Versuche
error-too-many-meaning = Um Konten zu schützen, lassen wir nach vielen Versuchen jeden warten.
error-no-cookies = Ihr Browser nimmt keine Cookies an
error-no-cookies-meaning = Ohne Cookies können Sie nicht angemeldet bleiben.
error-no-cookies-do = Erlauben Sie Cookies für diese Seite, gehen Sie zurück zur App und fangen Sie noch einmal an.
error-not-found = Diese Seite gibt es nicht
error-not-found-meaning = Die Adresse ist falsch, oder die Seite gibt es nicht mehr.
error-not-found-do = Prüfen Sie die Adresse, oder gehen Sie zurück zu der App, von der Sie kommen.
error-which-account = Welches Konto meinen Sie?
error-which-account-meaning = Sie sind in diesem Browser nirgends angemeldet oder an mehr als einer Stelle.
error-which-account-do = Öffnen Sie Ihr Konto aus der App, die Sie benutzen, und ändern Sie dort Ihr Passwort.
error-internal = Etwas ist schiefgegangen
error-internal-meaning = Der Fehler liegt bei uns, nicht bei Ihnen.
error-unavailable = Wir können gerade nicht antworten
error-unavailable-meaning = Es gibt mehr zu tun, als wir schaffen, oder ein Teil des Systems ist ausgefallen.
error-again = Warten Sie einen Moment und versuchen Sie es noch einmal.
