"""The made-up grant that both sides revoke: what the SDKs are given and what the catalogue is."""

#: Tokens with the characters that have to be escaped in an address or a form.
ACCESS = "acc+ess=1&2~"
REFRESH = "1//re+fresh=1~"
CLIENT_ID = "client-1"
CLIENT_SECRET = "secret-1"
