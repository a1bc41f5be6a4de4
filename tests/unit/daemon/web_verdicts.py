"""Web configurations, and what the exporter-toolkit says of each.

The verdicts were taken from its source, web/tls_config.go and web/handler.go of July 2026, and
those that Debian's promtool can judge are put to it too. server.pem, server.key and ca.pem lie
beside the file; other.key belongs to another certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

HASH = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
FILES = "cert_file: server.pem, key_file: server.key"
MTLS = f"{FILES}, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert"


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    fault: str = ""
    """Part of what is said of a file that is refused; empty for one that is accepted."""
    is_known_to_promtool: bool = True
    """Whether a promtool of 2023 can judge it."""
    differs: str = ""
    """Why the exporter-toolkit says otherwise."""


def tls(keys: str) -> str:
    return f"tls_server_config: {{{keys}}}\n"


def header(name: str, value: str) -> str:
    return f"http_server_config: {{headers: {{{name}: {value}}}}}\n"


GOOD = [
    Case("empty", ""),
    Case("only a comment", "# nothing\n"),
    Case("an empty mapping", "{}\n"),
    Case("sections without content", "tls_server_config:\nhttp_server_config:\n"),
    Case("users without content", "basic_auth_users:\n"),
    Case("certificate and key", tls(FILES)),
    Case("TLS options without TLS", tls("min_version: TLS13")),
    Case("sans without TLS", tls("client_allowed_sans: [a]"), is_known_to_promtool=False),
    Case("no client certificate", tls(f"{FILES}, client_auth_type: NoClientCert")),
    Case("an empty auth type", tls(f"{FILES}, client_auth_type: ''")),
    Case("verified clients", tls(MTLS)),
    Case(
        "clients verified when given", tls(MTLS.replace("RequireAndVerify", "Verify") + "IfGiven")
    ),
    Case("verified by public authorities", tls(MTLS.replace("client_ca_file: ca.pem, ", ""))),
    Case("sans", tls(f"{MTLS}, client_allowed_sans: [a, b]"), is_known_to_promtool=False),
    Case("no sans at all", tls(f"{MTLS}, client_allowed_sans: []"), is_known_to_promtool=False),
    Case("an empty file name", tls(f"{FILES}, client_ca_file: ''")),
    Case("versions", tls(f"{FILES}, min_version: TLS12, max_version: TLS13")),
    Case("the newest version only", tls(f"{FILES}, min_version: TLS13")),
    Case("an old version", tls(f"{FILES}, min_version: TLS10")),
    Case(
        "a cipher that HTTP/2 has",
        tls(f"{FILES}, cipher_suites: [{'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'}]"),
    ),
    Case(
        "a cipher that HTTP/2 lacks, without HTTP/2",
        tls(f"{FILES}, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA]")
        + "http_server_config: {http2: false}\n",
    ),
    Case(
        "a cipher that HTTP/2 lacks, with TLS 1.3 only",
        tls(f"{FILES}, min_version: TLS13, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA]"),
    ),
    Case("no ciphers", tls(f"{FILES}, cipher_suites: []")),
    Case("a curve", tls(f"{FILES}, curve_preferences: [CurveP521]")),
    Case("curves", tls(f"{FILES}, curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]")),
    Case("the client's order", tls(f"{FILES}, prefer_server_cipher_suites: false")),
    Case("users", f"basic_auth_users: {{alice: {HASH}, bob: {HASH}}}\n"),
    Case("a user with a strange name", f"basic_auth_users: {{'a b:ü': {HASH}}}\n"),
    Case("users with TLS", tls(FILES) + f"basic_auth_users: {{alice: {HASH}}}\n"),
    Case("HTTP/2", "http_server_config: {http2: true}\n"),
    Case("HTTP/2 in the words of YAML 1.1", "http_server_config: {http2: no}\n"),
    Case("HSTS", header("Strict-Transport-Security", "max-age=1")),
    Case("nosniff", header("X-Content-Type-Options", "nosniff")),
    Case("deny", header("X-Frame-Options", "deny")),
    Case("sameorigin", header("X-Frame-Options", "sameorigin")),
    Case("XSS protection", header("X-XSS-Protection", "1")),
    Case("a policy with a dollar", header("Content-Security-Policy", '"frame-src ${x} $$"')),
    Case("an empty policy", header("Content-Security-Policy", "''")),
    Case("a rate", "rate_limit: {interval: 1s, burst: 20}\n", is_known_to_promtool=False),
    Case("no rate", "rate_limit: {interval: 0, burst: 20}\n", is_known_to_promtool=False),
    Case("a fine rate", "rate_limit: {interval: 1m1.5s, burst: 1}\n", is_known_to_promtool=False),
    Case("a negative rate", "rate_limit: {interval: -1s}\n", is_known_to_promtool=False),
    Case("a rate without a burst", "rate_limit: {interval: 1s}\n", is_known_to_promtool=False),
    Case("nanoseconds", "rate_limit: {interval: 5, burst: 1}\n", is_known_to_promtool=False),
]

BAD = [
    Case("text", "hello\n", "expected a mapping"),
    Case("a list", "- a\n", "expected a mapping"),
    Case("not YAML", "tls_server_config: [\n", "a value is expected here"),
    Case("an unknown section", "tls_config: {}\n", "did you mean 'tls_server_config'?"),
    Case("an unknown key", tls("cert_filse: x"), "did you mean 'cert_file'?"),
    Case("a section twice", "basic_auth_users: {}\nbasic_auth_users: {}\n", "already set"),
    Case("a section that is text", "tls_server_config: x\n", "expected a mapping, found text"),
    Case("no certificate", tls("key_file: server.key"), "missing one of cert or cert_file"),
    Case("no key", tls("cert_file: server.pem"), "missing one of key or key_file"),
    Case("empty names", tls("cert_file: '', key_file: server.key"), "missing one of cert"),
    Case("an empty key", tls("cert_file: server.pem, key_file: ''"), "missing one of key"),
    Case("only a policy", tls("client_auth_type: NoClientCert"), "missing one of cert"),
    Case("only an authority", tls("client_ca_file: ca.pem"), "missing one of cert"),
    Case("no such certificate", tls("cert_file: no.pem, key_file: server.key"), "no.pem cannot be"),
    Case("no such key", tls("cert_file: server.pem, key_file: no.key"), "no.key cannot be read"),
    Case("no such authority", tls(MTLS.replace("ca.pem", "no.pem")), "no.pem cannot be read"),
    Case("another's key", tls("cert_file: server.pem, key_file: other.key"), "does not belong"),
    Case("a key for a certificate", tls("cert_file: server.key, key_file: server.key"), "PEM"),
    Case("a certificate for a key", tls("cert_file: server.pem, key_file: server.pem"), "PEM"),
    Case("the file itself", tls("cert_file: web.yml, key_file: web.yml"), "PEM"),
    Case(
        "an authority without a policy", tls(f"{FILES}, client_ca_file: ca.pem"), "without a policy"
    ),
    Case("an unknown policy", tls(f"{FILES}, client_auth_type: Require"), "expected NoClientCert"),
    Case(
        "sans without a policy",
        tls(f"{FILES}, client_allowed_sans: [a]"),
        "client_allowed_sans needs client_auth_type",
        is_known_to_promtool=False,
    ),
    Case(
        "sans of optional certificates",
        tls(f"{FILES}, client_auth_type: VerifyClientCertIfGiven, client_allowed_sans: [a]"),
        "client_allowed_sans needs client_auth_type",
        is_known_to_promtool=False,
    ),
    Case("an unknown cipher", tls(f"{FILES}, cipher_suites: [TLS_AES_512]"), "expected TLS_AES"),
    Case(
        "a weak cipher", tls(f"{FILES}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]"), "did you mean"
    ),
    Case("an unknown curve", tls(f"{FILES}, curve_preferences: [CurveP42]"), "did you mean 'Curve"),
    Case("an unknown version", tls(f"{FILES}, min_version: TLS111"), "expected TLS10, TLS11"),
    Case("an empty version", tls(f"{FILES}, max_version: ''"), "expected TLS10, TLS11"),
    Case("a cipher that is text", tls(f"{FILES}, cipher_suites: X"), "expected a list"),
    Case(
        "a hash that is none", "basic_auth_users: {alice: secret-pass}\n", "expected a bcrypt hash"
    ),
    Case("a hash without content", "basic_auth_users: {alice: }\n", "expected text, found nothing"),
    Case("a short hash", f"basic_auth_users: {{alice: {HASH[:58]}}}\n", "expected a bcrypt hash"),
    Case(
        "a cost of 3", f"basic_auth_users: {{a: {HASH.replace('10', '03')}}}\n", "must be 4 to 14"
    ),
    Case("users in a list", f"basic_auth_users: [{HASH}]\n", "expected a mapping, found a list"),
    Case("a user twice", f"basic_auth_users: {{a: {HASH}, a: {HASH}}}\n", "already set"),
    Case("another header", header("Server", "nginx"), "unknown key; possible here: Strict-"),
    Case("a header in lower case", header("x-frame-options", "deny"), "'X-Frame-Options'?"),
    Case("another sniffing", header("X-Content-Type-Options", "no"), "expected nosniff"),
    Case("another framing", header("X-Frame-Options", "DENY"), "expected deny or sameorigin"),
    Case("an empty framing", header("X-Frame-Options", "''"), "expected deny or sameorigin"),
    Case("HTTP/2 in other words", "http_server_config: {http2: maybe}\n", "expected true or false"),
    Case("HTTP/2 as a number", "http_server_config: {http2: 1}\n", "expected true or false"),
    Case(
        "a rate in other words",
        "rate_limit: {interval: often}\n",
        "expected a duration",
        is_known_to_promtool=False,
    ),
    Case(
        "a rate in days",
        "rate_limit: {interval: 1d}\n",
        "expected a duration",
        is_known_to_promtool=False,
    ),
]

OURS = [
    Case(
        "certificates that nobody verifies",
        tls(f"{FILES}, client_auth_type: RequireAnyClientCert"),
        "asks for certificates without verifying them",
        differs="Python's ssl module asks for no certificate that it does not verify",
    ),
    Case(
        "certificates that are asked for",
        tls(f"{FILES}, client_auth_type: RequestClientCert"),
        "asks for certificates without verifying them",
        differs="the same",
    ),
    Case(
        "a cipher that HTTP/2 lacks",
        tls(f"{FILES}, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA]"),
        "which HTTP/2 needs",
        differs="it is refused when the server starts, not when the file is checked",
    ),
    Case(
        "versions upside down",
        tls(f"{FILES}, min_version: TLS13, max_version: TLS12"),
        "is above max_version",
        differs="it starts, and serves nobody",
    ),
    Case(
        "an authority that is none",
        tls(MTLS.replace("ca.pem", "web.yml")),
        "the clients' authority cannot be used",
        differs="it starts, and lets no client in",
    ),
    Case(
        "a cost of 15",
        f"basic_auth_users: {{a: {HASH.replace('10', '15')}}}\n",
        "must be 4 to 14",
        differs="a log-in of two seconds and more would be accepted",
    ),
    Case(
        "half a request",
        "rate_limit: {burst: 1.5}\n",
        "expected a whole number",
        differs="it is cut to 1",
    ),
    Case(
        "half a nanosecond",
        "rate_limit: {interval: 0.5}\n",
        "expected a duration",
        differs="it is cut to 0",
    ),
    Case(
        "a user whose name is a number",
        f"basic_auth_users: {{1001: {HASH}}}\n",
        "put it in quotes",
        differs="the name is taken as text; ours must be text everywhere",
    ),
    Case(
        "a merge key",
        "x: &x {interval: 1s}\nrate_limit: {<<: *x}\n",
        "not part of YAML 1.2",
        differs="they are part of YAML 1.1",
    ),
]
