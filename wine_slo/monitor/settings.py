"""The settings of the monitor (the watchdog process)."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from zoneinfo import ZoneInfo

import msgspec

from wine_slo.config.environment import PREFIX, AllowedHosts, LogFormat, Port, Settings, listed, means
from wine_slo.config.files import shipped, text_file
from wine_slo.config.files.access.access_headers import AccessHeaders, HeaderLines
from wine_slo.config.files.access.tls_files import TlsFileError, TlsFiles
from wine_slo.config.hosts import is_this_machine
from wine_slo.config.setting_types import (
    BotToken,
    ChatAddress,
    Header,
    Host,
    Hours,
    LanguageCode,
    PageUrl,
    PersonId,
    ProxyUrl,
    ReplicaUrls,
    RootUrl,
    Secret,
    SecretUrl,
    Token,
    Url,
    UserName,
)
from wine_slo.integrations.storage.setting_types import WANTED, DatabaseUrl, KeptDays
from wine_slo.slo import redaction

PROXY = "a proxy's URL, such as socks5://host:1080 or http://host:3128"
OUTSIDE = "If not set, that of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), but for this machine."


class WatchdogSettings(Settings, frozen=True, kw_only=True):
    """The watchdog's."""

    prometheus_url: Annotated[
        ReplicaUrls,
        means(
            "Where the watchdog queries: Prometheus (2.29 or newer), or what speaks its API; several URLs, separated "
            "by commas, are replicas that scrape the same targets. `make up` starts no Prometheus where this is set.",
            "the root of Prometheus' API, such as http://host:9090, or those of several servers with commas between; a "
            "name and a password belong in WINE_SLO_PROMETHEUS_USERNAME and WINE_SLO_PROMETHEUS_PASSWORD",
        ),
    ] = ReplicaUrls("http://127.0.0.1:9090")
    prometheus_token: Annotated[
        Token | None,
        means(
            "Sent to Prometheus as a bearer token.",
            "a bearer token: letters, digits and signs on one line, without blanks",
        ),
    ] = None
    prometheus_username: Annotated[
        UserName | None,
        means("The user at Prometheus.", "a name for basic authentication, on one line and without a colon"),
    ] = None
    prometheus_password: Annotated[Secret | None, means("The password of that user.", "its password")] = None
    prometheus_tenant: Annotated[
        Header | None,
        means("The tenant, of a server that has several.", "a tenant's id on one line, sent as X-Scope-OrgID"),
    ] = None
    prometheus_headers: Annotated[
        HeaderLines | None,
        means(
            "More headers for Prometheus, or for what stands in front of it; each of them is hidden.",
            "a header such as X-Api-Key: secret; several, a line each, in the file",
        ),
    ] = None
    prometheus_ca_file: Annotated[
        Path | None,
        means(
            "The CAs that are trusted instead of the system's.",
            "the path of a file with the certificates of CAs, in PEM",
        ),
    ] = None
    prometheus_cert_file: Annotated[
        Path | None,
        means("The client certificate.", "the path of a file with this client's certificate, in PEM"),
    ] = None
    prometheus_key_file: Annotated[
        Path | None,
        means("Its key.", "the path of a file with the key of that certificate, in PEM and not encrypted"),
    ] = None
    poll_seconds: Annotated[
        float, means("How often the watchdog evaluates.", "a number of seconds from 1 to 3600", ge=1, le=3600)
    ] = 30
    objectives: Annotated[
        Path,
        means(
            "The objectives; if not set and without a folder `config`, those of the package.",
            "the path of a file such as slo.yml",
        ),
    ] = Path(shipped.OBJECTIVES)
    database_url: Annotated[
        DatabaseUrl, means("The ledger: what the watchdog remembers.", f"an SQLAlchemy URL: {WANTED}")
    ] = DatabaseUrl("sqlite:///data/watchdog.db")
    keep_days: Annotated[
        KeptDays,
        means("For how long the ledger keeps closed incidents and what people did; 0 keeps all.", KeptDays.WANTED),
    ] = KeptDays(400)
    standby: Annotated[
        bool,
        means(
            "Whether there are several watchdogs on this ledger: one leads, the others stand by and take over; else a "
            "second watchdog exits with 1.",
            "true or false",
        ),
    ] = False
    heartbeat_url: Annotated[
        SecretUrl | None,
        means(
            "Fetched after each complete tick; whatever is there alerts where these requests stop.",
            "the URL of a dead-man's switch",
        ),
    ] = None
    heartbeat_proxy: Annotated[ProxyUrl | None, means(f"The proxy of that URL. {OUTSIDE}", PROXY)] = None
    watchdog_host: Annotated[
        Host, means("Where the watchdog listens.", "an address of this machine, or 0.0.0.0 for all")
    ] = Host("127.0.0.1")
    watchdog_port: Annotated[
        Port, means("The port at which the watchdog listens.", "a whole number from 0 (any free) to 65535")
    ] = 8001
    watchdog_password: Annotated[
        Secret | None,
        means(
            "Needed for every page of the watchdog but `/health` and `/alive`: by basic authentication with any "
            "name, or as a bearer token.",
            "a password for the watchdog's pages",
        ),
    ] = None
    watchdog_login_required: Annotated[
        bool,
        means(
            "Whether the watchdog refuses to start without that password where it listens on more than loopback; "
            "false is for a port that only those reach who may read the pages.",
            "true or false",
        ),
    ] = True
    api_token: Annotated[
        Token | None,
        means(
            "Needed to report drills and deployments to the watchdog (`POST /api/drills` and `/api/deployments`). If "
            "not set, nobody may.",
            "a bearer token of your choice: letters, digits and signs on one line, no blanks",
        ),
    ] = None
    allowed_hosts: AllowedHosts = ()
    service_url: Annotated[
        RootUrl,
        means("The service that is watched, for the drill.", "the root of the service, such as http://host:8000"),
    ] = RootUrl("http://127.0.0.1:8000")
    watchdog_url: Annotated[
        RootUrl | None,
        means(
            "Where `wine-slo status`, `drill` and `doctor` find the watchdog. If not set, where it listens.",
            "the root of the watchdog, such as http://host:8001",
        ),
    ] = None
    grafana_url: Annotated[
        Url | None,
        means("Where a link on the status page leads.", "an address of Grafana, for a link on the status page"),
    ] = None
    runbook_url: Annotated[
        PageUrl | None,
        means(
            "The page of the runbook, as browsers reach it: each alert links its section there. `runbook` of an "
            "objective goes before.",
            "the address of a page, such as https://example.org/runbook/, without a # and with a host that has a dot",
        ),
    ] = None
    status_url: Annotated[
        PageUrl | None,
        means(
            "The status page, as browsers reach it: the message about many breaches at once links it.",
            "the address of a page, such as https://slo.example.org/, with a host that has a dot",
        ),
    ] = None
    telegram_token: Annotated[
        BotToken | None,
        means("The bot. Without it messages are printed.", "the bot's token, as @BotFather gave it"),
    ] = None
    telegram_chat_ids: Annotated[
        tuple[ChatAddress, ...],
        means(
            "The chats that are notified; `-1001234/5` is topic 5 of a forum.",
            "chat ids separated by commas; send the bot /id",
        ),
    ] = ()
    telegram_second_chat_ids: Annotated[
        tuple[ChatAddress, ...],
        means(
            "The chats that are notified of what nobody acknowledges in the first ones.",
            "ids of chats for what nobody acknowledges, separated by commas; send the bot /id",
        ),
    ] = ()
    telegram_admin_ids: Annotated[
        tuple[PersonId, ...],
        means(
            "Where set, only these people may acknowledge, silence and drill.",
            "ids of people, separated by commas; send the bot /id",
        ),
    ] = ()
    telegram_api_url: Annotated[
        RootUrl | None,
        means("The Bot API, where it is not Telegram's own.", "the root of an own Bot API server"),
    ] = None
    telegram_proxy: Annotated[ProxyUrl | None, means(f"The proxy to Telegram. {OUTSIDE}", PROXY)] = None
    escalate_minutes: Annotated[
        float,
        means(
            "How long a breach may stay unacknowledged until it is escalated.",
            "minutes from 0 (never) to 1440",
            ge=0,
            le=1440,
        ),
    ] = 15
    quiet_hours: Annotated[
        Hours | None,
        means(
            "When nothing makes a sound: what would, waits until they are over.",
            "two times of day, such as 22:00-07:00",
        ),
    ] = None
    quiet_hours_pages: Annotated[
        bool, means("Whether a fast burn of the error budget makes a sound even then.", "true or false")
    ] = True
    timezone: Annotated[
        ZoneInfo,
        means(
            "The time zone of messages and pages, and of quiet hours and the digest.",
            "the time zone of the chats, such as Europe/Moscow",
        ),
    ] = ZoneInfo("UTC")
    charts_enabled: Annotated[
        bool, means("Whether a chart follows the first message of a breach.", "true or false")
    ] = True
    digest_at: Annotated[
        str,
        means(
            "When every chat receives the weekly digest.",
            "a day and a time in the zone of the chats, such as monday 9:00, or off",
            pattern=r"^(off|(mon|tues|wednes|thurs|fri|satur|sun)day ([01]?\d|2[0-3]):[0-5]\d)$",
        ),
    ] = "monday 9:00"
    language: Annotated[
        LanguageCode,
        means(
            "The language of the chats that have not chosen one.",
            f"{LanguageCode.known()}; a chat chooses its own with /language",
        ),
    ] = LanguageCode("en")
    log_format: LogFormat = "text"
    notify_socket: Annotated[
        str | None, means("Where systemd is informed that the watchdog is ready.", "systemd's; it sets it itself")
    ] = msgspec.field(default=None, name="NOTIFY_SOCKET")
    watchdog_usec: Annotated[
        int,
        means("How often systemd wants a sign of life.", "systemd's, in microseconds; it sets it itself", ge=0),
    ] = msgspec.field(default=0, name="WATCHDOG_USEC")

    @property
    def watchdog_root(self) -> str:
        """Return where the watchdog is found: as it is set, else where it listens."""
        if self.watchdog_url:
            return self.watchdog_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.watchdog_host, self.watchdog_host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.watchdog_port}"

    def mistakes(self) -> list[str]:
        """Return what is wrong of the files for TLS, and of the proxies that the environment names."""
        found = self._mistakes_of_tls()
        for name, url, own in self._outside:
            if url and own is None:
                try:
                    _proxy_of_environment(url)
                except ValueError:
                    variables = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"
                    found.append(f"{variables} of the environment is no proxy for {name}; wanted: {PROXY}")
        return found

    def _mistakes_of_tls(self) -> list[str]:
        files = {f"prometheus_{name}": path for name, path in self._tls_files.items()}
        named = {each.field: each for each in listed(type(self)) if each.field in files}
        used = [named[field].variable for field, path in files.items() if path is not None]
        cert, key = named["prometheus_cert_file"], named["prometheus_key_file"]
        if (files[cert.field] is None) != (files[key.field] is None):
            return [f"only {used[-1]} is set; wanted: {cert.variable} and {key.variable}, or none of both"]
        try:
            self.prometheus_tls.read()
        except TlsFileError as error:
            wrong = named[f"prometheus_{error.field}"]
            return [f"{wrong.variable} is {str(files[wrong.field])!r}: {error}; wanted: {wrong.wanted}"]
        if used and not all(each.startswith("https:") for each in self.prometheus_url.by_name.values()):
            return [f"{PREFIX}PROMETHEUS_URL is {self.prometheus_url!r}; wanted: an https URL, as {used[0]} is set"]
        return []

    @property
    def _tls_files(self) -> dict[str, Path | None]:
        """Return the files for TLS; None where one is not set."""
        names = ("ca_file", "cert_file", "key_file")
        paths = {name: getattr(self, f"prometheus_{name}") for name in names}
        return {name: None if path is None or text_file.is_null(path) else path for name, path in paths.items()}

    @property
    def prometheus_tls(self) -> TlsFiles:
        """Return the files by which Prometheus is trusted and this client is known."""
        return TlsFiles(**self._tls_files)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every secret's value, those of proxies in the environment too."""
        own = super().secrets
        if self.prometheus_password:
            own += (f"{self.prometheus_username or ''}:{self.prometheus_password.value}",)
        return own + tuple(part for url in getproxies().values() for part in redaction.credentials_of(url))

    @property
    def telegram_way(self) -> str | None:
        """Return the proxy through which Telegram is reached, the environment's too; None for none."""
        return _way(*self._outside[0][1:])

    @property
    def heartbeat_way(self) -> str | None:
        """Return the proxy through which the dead-man's switch is reached, the environment's too; None for none."""
        return _way(*self._outside[1][1:])

    @property
    def _outside(self) -> "tuple[tuple[str, str | None, ProxyUrl | None], ...]":
        """Return what may be behind a proxy: its name, its URL and a proxy of its own."""
        api = self.telegram_api_url or "https://api.telegram.org"
        return (
            ("Telegram", api if self.telegram_token else None, self.telegram_proxy),
            ("the heartbeat", self.heartbeat_url.value if self.heartbeat_url else None, self.heartbeat_proxy),
        )

    @property
    def prometheus_access(self) -> AccessHeaders:
        """Return what authorises us at Prometheus, or at what speaks its API."""
        token, username, password = self.prometheus_token, self.prometheus_username, self.prometheus_password
        return AccessHeaders(token, username, password, self.prometheus_tenant, self.prometheus_headers)


def _way(url: str | None, own: ProxyUrl | None) -> str | None:
    """Return the proxy for a URL: its own, else the environment's; none for what is on this machine."""
    if url is None or is_this_machine(urlsplit(url).hostname or ""):
        return None
    return own.value if own else _proxy_of_environment(url)


def _proxy_of_environment(url: str) -> str | None:
    """Return the proxy that the environment names for a URL.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(url)
    named = getproxies()
    proxy = named.get(parts.scheme) or named.get("all")
    if not proxy or is_this_machine(parts.hostname or "") or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return ProxyUrl(proxy if "://" in proxy else f"http://{proxy}").value  # as curl and others take it
